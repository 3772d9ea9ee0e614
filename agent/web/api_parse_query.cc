// /api/v1/parse_query: a query as a tree, in the form that Prometheus' own page reads.
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "agent/promql/aggregations.h"
#include "agent/promql/ast.h"
#include "agent/promql/engine.h"
#include "agent/promql/functions.h"
#include "agent/web/api_handlers.h"
#include "agent/web/api_parameters.h"
#include "agent/web/api_response.h"
#include "lib/base/strings.h"

namespace web {
namespace {

void WriteTree(const promql::Expr& expr, base::JsonWriter& json);

void WriteChild(std::string_view key, const promql::ExprPtr& child, base::JsonWriter& json) {
  json.Key(key);
  if (child == nullptr) {
    json.Null();
  } else {
    WriteTree(*child, json);
  }
}

std::string_view TypeWord(promql::ValueType type) {
  switch (type) {
    case promql::ValueType::kNone:
      return "none";
    case promql::ValueType::kScalar:
      return "scalar";
    case promql::ValueType::kVector:
      return "vector";
    case promql::ValueType::kMatrix:
      return "matrix";
    case promql::ValueType::kString:
      return "string";
  }
  return "none";
}

std::string_view CardinalityWord(promql::Cardinality cardinality) {
  switch (cardinality) {
    case promql::Cardinality::kOneToOne:
      return "one-to-one";
    case promql::Cardinality::kManyToOne:
      return "many-to-one";
    case promql::Cardinality::kOneToMany:
      return "one-to-many";
    case promql::Cardinality::kManyToMany:
      return "many-to-many";
  }
  return "one-to-one";
}

void WriteShift(const promql::TimeShift& shift, base::JsonWriter& json) {
  json.Member("offset", shift.offset_ms);
  json.Key("timestamp");
  if (shift.at == promql::TimeShift::At::kTimestamp) {
    json.Int(shift.at_ms);
  } else {
    json.Null();
  }
  json.Key("startOrEnd");
  if (shift.at == promql::TimeShift::At::kStart) {
    json.String("start");
  } else if (shift.at == promql::TimeShift::At::kEnd) {
    json.String("end");
  } else {
    json.Null();
  }
}

void WriteSelector(const promql::VectorSelector& selector, base::JsonWriter& json) {
  json.Member("name", selector.name);
  json.Key("matchers");
  json.BeginArray();
  for (const model::Matcher& matcher : selector.matchers) {
    json.BeginObject();
    json.Member("name", matcher.name());
    json.Member("value", matcher.value());
    json.Member("type", model::MatchOperator(matcher.type()));
    json.EndObject();
  }
  json.EndArray();
  WriteShift(selector.shift, json);
}

void WriteMatching(const promql::Binary& binary, base::JsonWriter& json) {
  json.Key("matching");
  const bool vectors = binary.left->type == promql::ValueType::kVector &&
                       binary.right->type == promql::ValueType::kVector;
  if (!vectors) {
    json.Null();
    return;
  }
  json.BeginObject();
  json.Member("card", CardinalityWord(binary.matching->cardinality));
  json.Key("labels");
  WriteStrings(binary.matching->labels, json);
  json.Member("on", binary.matching->on);
  json.Key("include");
  WriteStrings(binary.matching->include, json);
  json.EndObject();
}

// The members of each kind of node, its type first.
class NodeWriter {
 public:
  explicit NodeWriter(base::JsonWriter& json) : json_(json) {}

  void operator()(const promql::NumberLiteral& literal) const {
    json_.Member("type", "numberLiteral");
    json_.Member("val", FormatSampleValue(literal.value));
  }
  void operator()(const promql::StringLiteral& literal) const {
    json_.Member("type", "stringLiteral");
    json_.Member("val", literal.value);
  }
  void operator()(const promql::Paren& paren) const {
    json_.Member("type", "parenExpr");
    WriteChild("expr", paren.inner, json_);
  }
  void operator()(const promql::Unary& unary) const {
    json_.Member("type", "unaryExpr");
    json_.Member("op", unary.op->text);
    WriteChild("expr", unary.operand, json_);
  }
  void operator()(const promql::VectorSelector& selector) const {
    json_.Member("type", "vectorSelector");
    WriteSelector(selector, json_);
  }
  void operator()(const promql::MatrixSelector& selector) const {
    json_.Member("type", "matrixSelector");
    json_.Member("range", selector.range_ms);
    WriteSelector(selector.vector, json_);
  }
  void operator()(const promql::Subquery& subquery) const {
    json_.Member("type", "subquery");
    WriteChild("expr", subquery.inner, json_);
    json_.Member("range", subquery.range_ms);
    json_.Member("step", subquery.step_ms);
    WriteShift(subquery.shift, json_);
  }
  void operator()(const promql::Call& call) const {
    json_.Member("type", "call");
    json_.Key("func");
    json_.BeginObject();
    json_.Member("name", call.function->name);
    json_.Key("argTypes");
    json_.BeginArray();
    for (size_t i = 0; i < call.function->args.size(); ++i) {
      json_.String(TypeWord(call.function->args.At(i)));
    }
    json_.EndArray();
    json_.Member("variadic", int64_t{call.function->variadic});
    json_.Member("returnType", TypeWord(call.function->result));
    json_.EndObject();
    json_.Key("args");
    json_.BeginArray();
    for (const promql::ExprPtr& arg : call.args) {
      WriteTree(*arg, json_);
    }
    json_.EndArray();
  }
  void operator()(const promql::Aggregate& aggregate) const {
    json_.Member("type", "aggregation");
    json_.Member("op", aggregate.aggregation->name);
    WriteChild("expr", aggregate.operand, json_);
    WriteChild("param", aggregate.parameter, json_);
    json_.Key("grouping");
    WriteStrings(aggregate.grouping, json_);
    json_.Member("without", aggregate.without);
  }
  void operator()(const promql::Binary& binary) const {
    json_.Member("type", "binaryExpr");
    json_.Member("op", binary.op->text);
    WriteChild("lhs", binary.left, json_);
    WriteChild("rhs", binary.right, json_);
    WriteMatching(binary, json_);
    json_.Member("bool", binary.return_bool);
  }

 private:
  base::JsonWriter& json_;
};

void WriteTree(const promql::Expr& expr, base::JsonWriter& json) {
  json.BeginObject();
  std::visit(NodeWriter(json), expr.node);
  json.EndObject();
}

}  // namespace

http::Response ParseQuery(const Views& views, const http::Request& request,
                          const http::PathParameters& /*path*/) {
  const auto query =
      promql::Engine(views.engine).Parse(Parameters(request).Get("query").value_or(""));
  if (!query.ok()) {
    return BadParameter("query", query.error());
  }
  return ApiSuccess([&query](base::JsonWriter& json) { WriteTree(query->expr(), json); });
}

}  // namespace web
