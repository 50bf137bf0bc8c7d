//! The shape resources have in the legacy endpoints: one member per name, numbers for scalars, text for the rest.
//! In: resources. Out: JSON objects.

use serde_json::{Map, Value, json};

use super::{
    Resources,
    amount::{Amount, to_double},
};

/// These are always there.
const ALWAYS: [&str; 4] = ["cpus", "gpus", "mem", "disk"];

impl Resources {
    /// The object for `/state` and its relatives, over all reservations and allocations.
    pub fn to_legacy_json(&self) -> Value {
        let mut members: Map<String, Value> = ALWAYS.iter().map(|name| ((*name).to_owned(), json!(0.0))).collect();
        for (key, amount) in self.flatten().amounts {
            let value = match amount {
                Amount::Scalar(value) => json!(to_double(value)),
                other => json!(other.to_string()),
            };
            members.insert(key.name, value);
        }
        Value::Object(members)
    }
}
