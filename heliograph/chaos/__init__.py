"""Everything goes wrong, by seed; then what was stored is compared with what truly happened."""
