//! Fields by Marathon's paths, such as `/healthChecks(0)/protocol`: what was sent there, and what the API's document says
//! may be there. Pure.

use serde_json::Value;

/// A step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

/// The steps of a path.
pub(super) fn steps(path: &str) -> Vec<Step<'_>> {
    path.split('/').filter(|part| !part.is_empty()).flat_map(part).collect()
}

/// A field, and the items of lists below it.
fn part(part: &str) -> Vec<Step<'_>> {
    let mut pieces = part.split('(');
    let field = pieces.next().filter(|name| !name.is_empty()).map(Step::Field);
    let items = pieces.filter_map(|piece| piece.strip_suffix(')')?.parse().ok().map(Step::Item));
    field.into_iter().chain(items).collect()
}

/// The value that was sent there; null if there is none.
pub(super) fn sent<'a>(whole: &'a Value, path: &str) -> &'a Value {
    steps(path).into_iter().fold(whole, |value, step| match step {
        Step::Field(name) => &value[name],
        Step::Item(index) => &value[index],
    })
}

/// The schemas of one value: all that its document says of it, the alternatives side by side.
#[derive(Debug)]
pub(super) struct Schema<'a> {
    document: &'a Value,
    parts: Vec<&'a Value>,
}

impl<'a> Schema<'a> {
    /// The schema of what is sent to a path of the API.
    pub(super) fn of_body(document: &'a Value, api_path: &str) -> Schema<'a> {
        let name = match api_path {
            path if path.starts_with("/v2/pods") => "Pod",
            path if path.starts_with("/v2/groups") => "GroupUpdate",
            _ => "AppUpdate",
        };
        Schema { document, parts: Vec::new() }.with(&document["components"]["schemas"][name])
    }

    /// This one, and what it refers to and consists of.
    fn with(mut self, schema: &'a Value) -> Schema<'a> {
        if let Some(name) = schema["$ref"].as_str().and_then(|at| at.strip_prefix("#/components/schemas/")) {
            let document = self.document;
            return self.with(&document["components"]["schemas"][name]);
        }
        self.parts.push(schema);
        let several = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|how| schema[how].as_array()).flatten();
        several.fold(self, Schema::with)
    }

    /// That of a field or of an item. A list of definitions has the schema of each.
    pub(super) fn at(&self, step: Step<'_>) -> Schema<'a> {
        let below = |part: &&'a Value| match step {
            Step::Field(name) => part["properties"].get(name).or_else(|| part.get("additionalProperties")),
            Step::Item(_) => part.get("items"),
        };
        let found = self.parts.iter().filter_map(below).filter(|schema| schema.is_object());
        found.fold(Schema { document: self.document, parts: Vec::new() }, Schema::with)
    }

    /// The names of the fields it may have.
    pub(super) fn fields(&self) -> Vec<&'a str> {
        let all = self.parts.iter().filter_map(|part| part["properties"].as_object());
        all.flat_map(|fields| fields.keys().map(String::as_str)).collect()
    }

    /// The words it may be, where it may only be one of some.
    pub(super) fn literals(&self) -> Vec<&'a str> {
        let all = self.parts.iter().filter_map(|part| part["enum"].as_array()).flatten();
        all.filter_map(Value::as_str).collect()
    }

    /// True if only numbers without a fraction will do.
    pub(super) fn is_whole(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| part["type"] == "integer")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_of_fields_and_items() {
        assert_eq!(
            steps("/healthChecks(0)/protocol"),
            [Step::Field("healthChecks"), Step::Item(0), Step::Field("protocol")]
        );
        assert_eq!(steps("(2)/a(0)(1)"), [Step::Item(2), Step::Field("a"), Step::Item(0), Step::Item(1)]);
        assert_eq!(steps("/"), []);
        let whole = json!({"a": [{"b": 7}]});
        assert_eq!(sent(&whole, "/a(0)/b"), &json!(7));
        assert_eq!(sent(&whole, "/a(9)/b/c"), &Value::Null);
    }

    #[test]
    fn what_a_field_may_be_is_found_through_references() {
        let document = json!({"components": {"schemas": {
            "AppUpdate": {"allOf": [{"$ref": "#/components/schemas/Fields"}, {"properties": {"uris": {"type": "array"}}}]},
            "Fields": {"properties": {"checks": {"items": {"$ref": "#/components/schemas/Check"}}}},
            "Check": {"properties": {"protocol": {"enum": ["A", "B"]}, "port": {"type": "integer"}}}}}});
        let app = Schema::of_body(&document, "/v2/apps/a");
        assert_eq!(app.fields(), ["checks", "uris"]);
        let check = app.at(Step::Field("checks")).at(Step::Item(0));
        assert_eq!(check.at(Step::Field("protocol")).literals(), ["A", "B"]);
        assert!(check.at(Step::Field("port")).is_whole() && !check.at(Step::Field("none")).is_whole());
        assert!(Schema::of_body(&Value::Null, "/v2/apps").fields().is_empty());
    }
}
