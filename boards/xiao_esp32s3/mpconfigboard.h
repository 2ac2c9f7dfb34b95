// What sys.implementation says of this board; everything else is the port's own.
#define MICROPY_HW_BOARD_NAME               "Seeed XIAO ESP32S3 with Lapel"
#define MICROPY_HW_MCU_NAME                 "ESP32-S3"
