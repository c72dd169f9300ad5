"""The engine: epochs from a source through rules to sinks. It knows sources and sinks only as `ports`."""
