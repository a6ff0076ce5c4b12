"""Phase 0: raw sales logs in, a checked star schema out."""
