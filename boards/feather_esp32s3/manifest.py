include("../frozen", board="feather_esp32s3")
