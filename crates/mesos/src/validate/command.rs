//! Commands and their environment. In: definitions. Out: what is wrong with them.

use super::{Invalid, Verdict, ensure, known};
use crate::checksum::Checksum;
use crate::v1::{
    CommandInfo, Environment, Secret,
    command_info::Uri,
    environment::{Variable, variable},
    secret,
};

/// Checks that a command can be run as it is: so far, whether its environment can be had, and what it fetches be checked.
pub fn command(command: &CommandInfo) -> Verdict {
    command.environment.as_ref().map_or(Ok(()), environment)?;
    command.uris.iter().try_for_each(checksum)
}

fn checksum(uri: &Uri) -> Verdict {
    let checksum = uri.checksum.as_deref().map_or(Ok(()), |text| text.parse::<Checksum>().map(drop));
    checksum.map_err(|error| Invalid(format!("URI '{}': {error}", uri.value)))
}

/// Checks that every variable has a value of its kind.
pub fn environment(environment: &Environment) -> Verdict {
    environment.variables.iter().try_for_each(variable)
}

fn variable(variable: &Variable) -> Verdict {
    let must = |kind: &str, what: &str| {
        Invalid(format!("Environment variable '{}' of type '{kind}' must {what} set", variable.name))
    };
    match variable.r#type() {
        variable::Type::Secret => {
            let secret = variable.secret.as_ref().ok_or_else(|| must("SECRET", "have a secret"))?;
            ensure(variable.value.is_none(), || must("SECRET", "not have a value").0)?;
            named_secret(&variable.name, secret)
        }
        variable::Type::Value => {
            ensure(variable.value.is_some(), || must("VALUE", "have a value").0)?;
            ensure(variable.secret.is_none(), || must("VALUE", "not have a secret").0)
        }
        variable::Type::Unknown => Err(Invalid::new("Environment variable of type 'UNKNOWN' is not allowed")),
    }
}

fn named_secret(name: &str, value: &Secret) -> Verdict {
    secret(value)
        .map_err(|invalid| invalid.within(&format!("Environment variable '{name}' specifies an invalid secret")))?;
    let contains_null = value.value.as_ref().is_some_and(|value| value.data.contains(&0));
    ensure(!contains_null, || {
        format!(
            "Environment variable '{name}' specifies a secret containing null bytes, which is not allowed in the \
             environment"
        )
    })
}

fn secret(secret: &Secret) -> Verdict {
    match known::<secret::Type>(secret.r#type) {
        Some(secret::Type::Reference) => {
            let Some(reference) = &secret.reference else {
                return Err(Invalid::new("Secret of type REFERENCE must have the 'reference' field set"));
            };
            ensure(secret.value.is_none(), || {
                format!("Secret '{}' of type REFERENCE must not have the 'value' field set", reference.name)
            })
        }
        Some(secret::Type::Value) => {
            ensure(secret.value.is_some(), || "Secret of type VALUE must have the 'value' field set".to_owned())?;
            ensure(secret.reference.is_none(), || {
                "Secret of type VALUE must not have the 'reference' field set".to_owned()
            })
        }
        Some(secret::Type::Unknown) | None => Ok(()),
    }
}
