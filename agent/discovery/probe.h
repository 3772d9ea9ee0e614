// Asks a listener what it is, politely: nothing that a server would log as an attack, at most three
// short connections, each bounded in time and bytes.
//
//   1. PostgreSQL's request for TLS (8 bytes). PostgreSQL and PgBouncer answer one byte, S or N;
//      others say nothing, hang up or send something else.
//   2. To those two, a start-up packet with a setting that PostgreSQL knows and PgBouncer refuses
//      before it asks for a password. The connection is closed at the first answer.
//   3. To the rest, Redis' PING.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "agent/discovery/listeners.h"

namespace discovery {

enum class ServerKind { kPostgres, kPgbouncer, kRedis };

// "PostgreSQL", "PgBouncer", "Redis".
std::string_view ServerKindName(ServerKind kind);

inline constexpr std::chrono::milliseconds kProbeTimeout{500};  // Each of the three.
inline constexpr size_t kMaxProbeBytes = 4096;                  // Of an answer.

// The bytes that are sent. Pure.
std::string TlsRequest();
std::string StartupPacket();

// What the first bytes of an answer to StartupPacket() say. Pure.
std::optional<ServerKind> ParseStartupAnswer(std::string_view answer);
// Whether an answer to PING is a Redis server's. Pure.
bool IsRedisAnswer(std::string_view answer);

// Nothing when it is none of the three, or does not answer in time.
std::optional<ServerKind> Probe(const Listener& listener);

}  // namespace discovery
