"""Type check of the device's code against what a stock ESP32-S3 has. `python -m device_types`."""
