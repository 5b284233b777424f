"""How venues are asked: within their budgets, and not while they are down."""
