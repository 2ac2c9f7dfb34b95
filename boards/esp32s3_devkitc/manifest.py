include("../frozen", board="esp32s3_devkitc")
