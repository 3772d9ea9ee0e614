// Whatever a server says in PostgreSQL's protocol: messages, their bodies, rows to metrics.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "exporters/pgbouncer/collectors.h"
#include "exporters/pgbouncer/protocol.h"
#include "exporters/pgbouncer/scram.h"
#include "lib/exposition/writer.h"

namespace {

using exporters::TextRows;
namespace pgbouncer = exporters::pgbouncer;

// Every row set counts as the answer to every command.
void Render(const TextRows& rows) {
  pgbouncer::Snapshot snapshot;
  for (const pgbouncer::ShowRow& show : pgbouncer::kShows) {
    snapshot.Set(show.id, rows);
  }
  exporters::Scrape scrape(std::chrono::steady_clock::now());
  for (const pgbouncer::PgBouncerCollector* collector : pgbouncer::AllCollectors()) {
    static_cast<void>(collector->collect(snapshot, scrape));
  }
  std::string page;
  exposition::WriteText(scrape.TakeFamilies(), &page);
}

void Parse(const pgbouncer::Message& message, TextRows* rows) {
  static_cast<void>(pgbouncer::ParseServerMessage(message.body));
  static_cast<void>(pgbouncer::ParseParameterStatus(message.body));
  if (const auto request = pgbouncer::ParseAuthentication(message.body); request.ok()) {
    pgbouncer::ScramKeyCache keys;
    pgbouncer::ScramClient scram(base::Secret("pencil"), "nonce", keys);
    if (request->data.find("i=") == std::string::npos) {  // Hashing is slow, and not ours to fuzz.
      static_cast<void>(scram.FinalMessage(request->data));
      static_cast<void>(scram.CheckServer(request->data));
    }
  }
  if (auto columns = pgbouncer::ParseRowDescription(message.body);
      columns.ok() && message.type == pgbouncer::kRowDescription) {
    *rows = TextRows(*std::move(columns));
  }
  if (auto row = pgbouncer::ParseDataRow(message.body);
      row.ok() && message.type == pgbouncer::kDataRow) {
    rows->Add(*std::move(row));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pgbouncer::MessageReader reader;
  if (!reader.Feed({reinterpret_cast<const char*>(data), size}).ok()) {
    return 0;
  }
  TextRows rows({});
  for (auto next = reader.Next(); next.ok() && next->has_value(); next = reader.Next()) {
    Parse(**next, &rows);
    if ((*next)->type == pgbouncer::kReadyForQuery) {
      Render(rows);
      rows = TextRows({});
    }
  }
  return 0;
}
