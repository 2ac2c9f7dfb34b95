include(boards/mpconfigboard_esp32s3_common.cmake)

# Quad PSRAM, or none: what is there is found at power-on.
list(APPEND SDKCONFIG_DEFAULTS
    boards/sdkconfig.flash_qio_80m
    boards/sdkconfig.240mhz
)

set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
