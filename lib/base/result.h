// Result<T>: a value or an Error. Everything the world can cause (a server that is down, a bad
// query, a missing file) travels this way across public headers; exceptions do not.
#pragma once

#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace base {

// What kind of failure it was, for code that must choose: HTTP status, `reason` labels, retry or
// not.
enum class ErrorKind {
  kUnknown,
  kInvalidArgument,    // The input is wrong: bad flag, bad query, malformed bytes.
  kNotFound,           // The named thing does not exist.
  kPermissionDenied,   // Authentication or authorisation failed.
  kUnavailable,        // The other side is down, refused, or closed the connection.
  kDeadlineExceeded,   // Time ran out.
  kResourceExhausted,  // A named limit was hit.
  kUnsupported,        // Valid, but this version or build does not do it.
  kCancelled,          // The caller, or a shutdown, asked to stop.
};

// Lower-case words with underscores, as used in `reason` labels: "permission_denied".
std::string_view ErrorKindName(ErrorKind kind);

class Error {
 public:
  // `message` says what failed, with what, why: `redis: CONFIG GET on db1:6379: NOPERM`. Never a
  // secret.
  explicit Error(std::string message, ErrorKind kind = ErrorKind::kUnknown)
      : message_(std::move(message)), kind_(kind) {}

  const std::string& message() const { return message_; }
  ErrorKind kind() const { return kind_; }

  // The same error with `context` and ": " before its message.
  Error WithContext(std::string_view context) const;

 private:
  std::string message_;
  ErrorKind kind_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit, so that functions can `return value;` and `return Error(…);`.
  // NOLINTNEXTLINE(google-explicit-constructor): `return error;` is the point.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor): `return error;` is the point.
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return Checked(); }
  const T& value() const& { return const_cast<Result*>(this)->Checked(); }
  T&& value() && { return std::move(Checked()); }
  T& operator*() & { return Checked(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(Checked()); }
  T* operator->() { return &Checked(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }

  T value_or(T fallback) && { return ok() ? std::move(Checked()) : std::move(fallback); }

 private:
  T& Checked() {
    assert(ok() && "Result: value of a failed operation");
    return *std::get_if<0>(&state_);
  }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): `return error;` is the point.
  Result(Error error) : error_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return error_.index() == 0; }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    assert(!ok());
    return *std::get_if<1>(&error_);
  }

 private:
  std::variant<std::monostate, Error> error_;
};

}  // namespace base

#define BASE_CONCAT_INNER(a, b) a##b
#define BASE_CONCAT(a, b) BASE_CONCAT_INNER(a, b)

// RETURN_IF_ERROR(expr): returns the Error of a failed Result from the enclosing function.
#define RETURN_IF_ERROR(expr)                                 \
  do {                                                        \
    if (auto result_of_expr = (expr); !result_of_expr.ok()) { \
      return result_of_expr.error();                          \
    }                                                         \
  } while (false)

// ASSIGN_OR_RETURN(auto x, expr): x becomes the value, or the Error is returned.
#define ASSIGN_OR_RETURN(declaration, expr) \
  ASSIGN_OR_RETURN_INNER(BASE_CONCAT(result_at_, __LINE__), declaration, expr)
#define ASSIGN_OR_RETURN_INNER(temporary, declaration, expr) \
  auto temporary = (expr);                                   \
  if (!temporary.ok()) {                                     \
    return temporary.error();                                \
  }                                                          \
  declaration = std::move(temporary).value()
