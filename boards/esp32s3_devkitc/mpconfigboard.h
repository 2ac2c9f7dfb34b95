// What sys.implementation says of this board; everything else is the port's own.
#define MICROPY_HW_BOARD_NAME               "ESP32-S3-DevKitC-1 with Lapel"
#define MICROPY_HW_MCU_NAME                 "ESP32-S3"

// One of its two sockets is a USB-UART bridge: the console is there as well.
#define MICROPY_HW_ENABLE_UART_REPL         (1)
