"""Question to ranked matches: text, index, fuzzy repair, ranker, and the engine over them."""
