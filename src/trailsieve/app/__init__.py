"""Configuration, and the only room that wires sources, rules and sinks together."""
