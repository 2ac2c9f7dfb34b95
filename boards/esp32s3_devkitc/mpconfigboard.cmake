include(boards/mpconfigboard_esp32s3_common.cmake)

# N8R8, N16R8: octal PSRAM. For a module without, or with quad PSRAM (N8R2), leave spiram_oct out.
list(APPEND SDKCONFIG_DEFAULTS
    boards/sdkconfig.flash_qio_80m
    boards/sdkconfig.240mhz
    boards/sdkconfig.spiram_oct
)

set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
