// What sys.implementation says of this board; everything else is the port's own.
#define MICROPY_HW_BOARD_NAME               "Adafruit ESP32-S3 Feather with Lapel"
#define MICROPY_HW_MCU_NAME                 "ESP32-S3"
