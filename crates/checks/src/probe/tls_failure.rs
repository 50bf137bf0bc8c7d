//! Why TLS did not come about, or broke off, in words. Pure.

use std::error::Error;

use rustls::{AlertDescription, CertificateError, InvalidMessage};

use crate::outcome::Failure;

/// The meaning of an error of rustls, which comes as one of input and output.
pub(crate) fn failure(error: &(dyn Error + 'static)) -> Failure {
    match error.downcast_ref() {
        Some(rustls::Error::AlertReceived(alert)) => Failure::Alert { cause: refused(*alert) },
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            Failure::Tls { cause: "the server does not speak TLS".to_owned() }
        }
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(objection))) => {
            Failure::Tls { cause: objection.to_string() }
        }
        _ => Failure::Tls { cause: error.to_string() },
    }
}

fn refused(alert: AlertDescription) -> String {
    let words = match alert {
        AlertDescription::HandshakeFailure => {
            return format!(
                "the server found nothing in common (alert {alert:?}): RSA key exchange, for one, is not spoken here; or \
                 it wants a certificate of ours"
            );
        }
        AlertDescription::ProtocolVersion => "the server speaks neither TLS 1.2 nor 1.3",
        AlertDescription::CertificateRequired => "the server wants a certificate of ours",
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA => "the server objects to our certificate",
        AlertDescription::UnrecognisedName => "the server does not know the name it was asked for",
        AlertDescription::NoApplicationProtocol => "the server does not speak HTTP/2",
        _ => "the server broke off",
    };
    format!("{words} (alert {alert:?})")
}
