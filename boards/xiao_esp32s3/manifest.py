include("../frozen", board="xiao_esp32s3")
