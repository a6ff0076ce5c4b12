"""Who ranks and forecasts best out of time: ours, or what people would use instead."""
