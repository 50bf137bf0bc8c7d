//! The part of an HTTP health check that goes beyond Marathon's: method, headers, statuses, and what is in the body.

use std::collections::BTreeMap;
use std::net::IpAddr;

use checks::spec::{HttpProbe, Probe};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::tls_options::TlsOptions;
use super::validate::Faults;

/// A request over HTTP, and the answer that is expected. Nothing set is Marathon's way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct HttpOptions {
    /// `GET` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    /// The `Host` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    /// Whom the executor asks, as seen from the task; loopback if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<IpAddr>,
    /// Sent with the request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    /// The healthy ones; 200 to 399 if none is given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) statuses: Vec<Statuses>,
    /// Conditions on the body; all must hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) expect: Vec<Expectation>,
    /// The demands on the certificate, of HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<TlsOptions>,
}

/// A status such as `204`, or a range such as `"200-299"`, both ends in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Statuses {
    pub(crate) first: u16,
    pub(crate) last: u16,
}

/// A condition on the body of an answer. Exactly one of `contains`, `matches` and `jsonPath` is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Expectation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) contains: Option<String>,
    /// This regular expression matches somewhere in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) matches: Option<String>,
    /// It is JSON, and this path (RFC 9535) finds `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) json_path: Option<String>,
    /// The value that the path finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Value>,
}

impl HttpOptions {
    pub(super) fn validate(&self, path: &str, faults: &mut Faults) {
        let token = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        let method = self.method.as_deref().is_none_or(token);
        faults.require(method, format!("{path}/method"), "must be the name of a method");
        let host = self
            .host
            .as_deref()
            .is_none_or(|host| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic()));
        faults.require(host, format!("{path}/host"), "must be a host name");
        if let Some(tls) = &self.tls {
            tls.validate(&format!("{path}/tls"), faults);
        }
        for (name, value) in &self.headers {
            let headers = vec![(name.clone(), value.clone())];
            let probe = HttpProbe { headers, ..HttpProbe::default() };
            faults.require_probe(Probe::Http(probe), format!("{path}/headers({name})"));
        }
        let few = self.expect.len() <= checks::spec::Expectation::MOST;
        faults.require(few, format!("{path}/expect"), "has too many expectations");
        for (index, expected) in self.expect.iter().take(checks::spec::Expectation::MOST).enumerate() {
            expected.validate(&format!("{path}/expect({index})"), faults);
        }
    }
}

impl Expectation {
    fn validate(&self, path: &str, faults: &mut Faults) {
        let ways = [self.contains.is_some(), self.matches.is_some(), self.json_path.is_some()];
        let one = ways.iter().filter(|given| **given).count() == 1;
        faults.require(one, path, "must be one of contains, matches, and jsonPath with value");
        faults.require(self.json_path.is_some() == self.value.is_some(), path, "jsonPath and value go together");
        for (field, problem) in self.objections() {
            faults.require(false, format!("{path}/{field}"), problem);
        }
    }

    /// The fields that the engine would not take.
    fn objections(&self) -> impl Iterator<Item = (&'static str, String)> {
        let text = |text: &String| checks::spec::Expectation::Contains(text.clone().into_bytes());
        let pattern = |pattern: &String| checks::spec::Expectation::Matches(pattern.clone());
        let found = self.json_path.as_ref().zip(self.value.as_ref());
        let path = found.map(|(path, value)| checks::spec::Expectation::JsonPathEquals {
            path: path.clone(),
            value: value.to_string(),
        });
        let all = [
            ("contains", self.contains.as_ref().map(text)),
            ("matches", self.matches.as_ref().map(pattern)),
            ("jsonPath", path),
        ];
        all.into_iter().filter_map(|(field, expected)| Some((field, expected?.objection()?)))
    }
}

impl Serialize for Statuses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.first == self.last {
            serializer.serialize_u16(self.first)
        } else {
            serializer.collect_str(&format_args!("{}-{}", self.first, self.last))
        }
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number = |text: &str| text.trim().parse::<u16>().ok();
        let range = match &value {
            Value::Number(one) => one.as_u64().and_then(|one| u16::try_from(one).ok()).map(|one| (one, one)),
            Value::String(text) => match text.split_once('-') {
                Some((first, last)) => number(first).zip(number(last)),
                None => number(text).map(|one| (one, one)),
            },
            _ => None,
        };
        let range = range.filter(|(first, last)| first <= last && (100..=599).contains(first) && *last <= 599);
        let (first, last) = range.ok_or_else(|| {
            de::Error::custom(format!("got {value}, expected a status from 100 to 599, or a range such as \"200-299\""))
        })?;
        Ok(Statuses { first, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_numbers_or_ranges() {
        let options = serde_json::json!({"statuses": [204, "200-299"]});
        let read: HttpOptions = serde_json::from_value(options.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), options);
        for bad in
            [serde_json::json!(99), serde_json::json!("300-200"), serde_json::json!("2xx"), serde_json::json!(600)]
        {
            assert!(serde_json::from_value::<Statuses>(bad).is_err());
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (json, path) in [
            (serde_json::json!({"method": "G E T"}), "/method"),
            (serde_json::json!({"host": ""}), "/host"),
            (serde_json::json!({"headers": {"a:b": "x"}}), "/headers(a:b)"),
            (serde_json::json!({"headers": {"a": "x\r\ny: z"}}), "/headers(a)"),
            (serde_json::json!({"headers": {"Host": "x"}}), "/headers(Host)"),
            (serde_json::json!({"expect": [{}]}), "/expect(0)"),
            (serde_json::json!({"expect": [{"jsonPath": "$.a"}]}), "/expect(0)"),
            (serde_json::json!({"expect": [{"matches": "("}]}), "/expect(0)/matches"),
            (serde_json::json!({"expect": [{"contains": ""}]}), "/expect(0)/contains"),
            (serde_json::json!({"expect": [{"jsonPath": "$[?@".repeat(22), "value": 1}]}), "/expect(0)/jsonPath"),
            (serde_json::json!({"expect": vec![serde_json::json!({"contains": "x"}); 33]}), "/expect"),
        ] {
            let options: HttpOptions = serde_json::from_value(json.clone()).unwrap();
            let mut faults = Faults::default();
            options.validate("", &mut faults);
            assert!(faults.iter().any(|fault| fault.path == path), "{json}: {faults:?}");
        }
    }
}
