"""From stored ticks to bars and signals: claims, folds, and the pools that run them."""
