"""The pin's machine code on a desk: viper kernels, run instruction by instruction as an ESP32-S3 runs them.

`python -m device_code` counts every one of them (`make cycles`); README.md says how it works.
"""
