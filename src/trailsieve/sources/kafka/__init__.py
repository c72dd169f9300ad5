"""The Kafka source and its two clients."""
