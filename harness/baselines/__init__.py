"""What a fine-tuned model has to beat: answers from simple rules and small models, as cells of their own."""
