include(boards/mpconfigboard_esp32s3_common.cmake)

# ESP32-S3R8: 8 MB of flash, 8 MB of octal PSRAM.
list(APPEND SDKCONFIG_DEFAULTS
    boards/sdkconfig.flash_qio_80m
    boards/sdkconfig.240mhz
    boards/sdkconfig.spiram_oct
)

set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
