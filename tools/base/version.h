#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define TCPLAB_VERSION "0.1.0"

#endif
