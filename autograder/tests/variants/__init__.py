"""Right and wrong answers in many spellings, each with what it must get; `test_variants.py` grades them."""
