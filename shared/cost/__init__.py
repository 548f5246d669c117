"""What collecting costs, and how far it goes: a month's bill and its ceilings, by arithmetic. Not deployed.

``prices.toml``, ``limits.toml`` and ``figures.toml`` are the facts, each dated; the modules multiply.
"""
