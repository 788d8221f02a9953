/* The numbers of the pcapng format (draft-ietf-opsawg-pcapng) that are in use here. */
#ifndef CAPTURE_PCAPNG_FORMAT_H
#define CAPTURE_PCAPNG_FORMAT_H

#define BYTE_ORDER_MAGIC 0x1A2B3C4Du

enum {
    BLOCK_SECTION = 0x0A0D0D0A, /* the same in both byte orders */
    BLOCK_INTERFACE = 1,
    BLOCK_SIMPLE = 3,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
};

enum {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    SECTION_HARDWARE = 2,
    SECTION_OS = 3,
    SECTION_APPLICATION = 4,
    INTERFACE_NAME = 2,
    INTERFACE_DESCRIPTION = 3,
    INTERFACE_RESOLUTION = 9,
    INTERFACE_FILTER = 11,
    INTERFACE_OFFSET = 14,
    PACKET_FLAGS = 2,
    STATISTICS_BEGAN = 2,
    STATISTICS_ENDED = 3,
    STATISTICS_RECEIVED = 4,
    STATISTICS_DROPPED = 5,
};

/* Of PACKET_FLAGS. */
enum { DIRECTION = 3, DIRECTION_IN = 1, DIRECTION_OUT = 2 };

/* What files call a DLT_* value that differs from system to system. */
enum { LINKTYPE_RAW = 101 };

#endif
