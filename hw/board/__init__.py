"""What a board adds around a component: its clock, reset and pins."""
