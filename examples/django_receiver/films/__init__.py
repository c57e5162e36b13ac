"""The app: films and their clips, as webhooks bring them."""
