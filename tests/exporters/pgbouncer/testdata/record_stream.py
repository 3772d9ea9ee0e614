#!/usr/bin/env python3
"""Records what a PgBouncer that lets anyone in says to the exporter: record_stream.py PORT USER > pgbouncer-VERSION.stream"""
import re
import socket
import struct
import sys

FIRST = ["VERSION", "LISTS", "CONFIG", "DATABASES", "STATS_TOTALS", "POOLS", "USERS", "STATE", "PEERS", "DNS_HOSTS", "MEM"]
SECOND = ["CLIENTS", "SERVERS"]


def until_ready(sock, count):
    """Everything up to the count-th ReadyForQuery."""
    data, at = b"", 0
    while count:
        while len(data) < at + 5 or len(data) < at + 1 + struct.unpack(">I", data[at + 1:at + 5])[0]:
            data += sock.recv(65536)
        count -= data[at:at + 1] == b"Z"
        at += 1 + struct.unpack(">I", data[at + 1:at + 5])[0]
    return data


def queries(names):
    texts = [b"SHOW " + name.encode() + b"\0" for name in names]
    return b"".join(b"Q" + struct.pack(">I", len(text) + 4) + text for text in texts)


port, user = int(sys.argv[1]), sys.argv[2]
sock = socket.create_connection(("127.0.0.1", port))
body = struct.pack(">I", 196608) + b"user\0" + user.encode() + b"\0database\0pgbouncer\0application_name\0tarsier-pgbouncer\0\0"
sock.sendall(struct.pack(">I", len(body) + 4) + body)
stream = until_ready(sock, 1)
for names in (FIRST, SECOND):
    sock.sendall(queries(names))
    stream += until_ready(sock, len(names))
sys.stdout.buffer.write(stream)
