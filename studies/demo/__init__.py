"""The main job: a trained vision transformer's attention, spike for spike, through the generated RTL."""
