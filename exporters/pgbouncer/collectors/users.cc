// SHOW USERS: limits and connections of each user, since version 1.23.
#include "exporters/pgbouncer/context.h"

namespace exporters::pgbouncer {
namespace {

constexpr int k123 = 12300;
constexpr int k124 = 12400;
constexpr size_t kMaxUsers = 1000;  // With auth_query there may be any number of them.

constexpr ColumnTable kTable({
    {.name = "name", .usage = Usage::kLabel, .label = "user"},
    {.name = "max_user_connections",
     .metric = "pgbouncer_users_max_connections",
     .help = "Number of server connections the user may have; 0 is no limit.",
     .since = k123},
    {.name = "current_connections",
     .metric = "pgbouncer_users_current_connections",
     .help = "Number of server connections the user has.",
     .since = k123},
    {.name = "max_user_client_connections",
     .metric = "pgbouncer_users_max_client_connections",
     .help = "Number of client connections the user may have; 0 is no limit.",
     .since = k124},
    {.name = "current_client_connections",
     .metric = "pgbouncer_users_current_client_connections",
     .help = "Number of client connections the user has.",
     .since = k124},
});

TextRows FirstRows(const TextRows& rows) {
  std::vector<std::string> names;
  for (size_t column = 0; column < rows.column_count(); ++column) {
    names.emplace_back(rows.column_name(column));
  }
  TextRows first(std::move(names));
  for (size_t row = 0; row < rows.row_count() && row < kMaxUsers; ++row) {
    TextRows::Row cells;
    for (size_t column = 0; column < rows.column_count(); ++column) {
      const Cell cell = rows.at(row, column);
      cells.push_back(cell.has_value() ? std::optional<std::string>(*cell) : std::nullopt);
    }
    first.Add(std::move(cells));
  }
  return first;
}

base::Result<void> CollectUsers(const Snapshot& snapshot, Scrape& scrape) {
  ASSIGN_OR_RETURN(const TextRows* rows, snapshot.Get(Show::kUsers));
  return rows->row_count() > kMaxUsers
             ? EmitRows(kTable, FirstRows(*rows), snapshot.version, scrape)
             : EmitRows(kTable, *rows, snapshot.version, scrape);
}

}  // namespace

extern constexpr PgBouncerCollector kUsers{
    .name = "users", .help = "Limits and connections of each user.", .collect = CollectUsers};

}  // namespace exporters::pgbouncer
