"""What is in a model's folder: its facts, tensors and tokenizer, each followed or refused."""
