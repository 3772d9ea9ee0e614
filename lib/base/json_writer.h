// Streams JSON into a string, commas and escapes included. The caller keeps objects and arrays
// balanced.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace base {

// Quoted and escaped. Bytes that are not UTF-8 become U+FFFD, so that the output always is.
void AppendJsonString(std::string_view text, std::string* out);

class JsonWriter {
 public:
  // Appends to `out`, which must outlive the writer.
  explicit JsonWriter(std::string* out) : out_(out) {}

  void BeginObject();
  void EndObject();
  void BeginArray();
  void EndArray();
  // The name of the next value of an object.
  void Key(std::string_view name);

  void String(std::string_view value);
  void Int(int64_t value);
  void Uint(uint64_t value);
  // JSON has no NaN or infinity: they are written as null.
  void Double(double value);
  void Bool(bool value);
  void Null();
  // Text that is JSON already.
  void Raw(std::string_view json);

  void Member(std::string_view name, std::string_view value) { Key(name), String(value); }
  void Member(std::string_view name, const char* value) { Key(name), String(value); }
  void Member(std::string_view name, const std::string& value) { Key(name), String(value); }
  void Member(std::string_view name, int64_t value) { Key(name), Int(value); }
  void Member(std::string_view name, double value) { Key(name), Double(value); }
  void Member(std::string_view name, bool value) { Key(name), Bool(value); }

 private:
  void Separate();

  std::string* out_;
  std::vector<bool> has_members_;  // One entry per open object or array.
  bool after_key_ = false;
};

}  // namespace base
