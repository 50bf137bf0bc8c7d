//! Laws that hold for every message and every stream of bytes.

use mesos::{
    Codec, Wire, json,
    recordio::{Decoder, RecordError, frame},
    v1::{
        CheckStatusInfo, CommandInfo, ContainerId, ContainerStatus, DurationInfo, Environment, HealthCheck, Label,
        Labels, Resource, TaskId, TaskInfo, TaskStatus, check_status_info,
        cygnet::{HealthCheckResult, HttpOptions, StatusRange, TaskHealth},
        environment::Variable,
        health_check::HttpCheckInfo,
        scheduler, value,
    },
};
use proptest::{collection::vec, option, prelude::*};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,12}", ".{0,8}"]
}

fn double() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("NaN is not equal to itself", |value| !value.is_nan())
}

fn labels() -> impl Strategy<Value = Labels> {
    let label = (text(), option::of(text())).prop_map(|(key, value)| Label { key, value });
    vec(label, 0..3).prop_map(|labels| Labels { labels })
}

fn command() -> impl Strategy<Value = CommandInfo> {
    let variable =
        (text(), option::of(text())).prop_map(|(name, value)| Variable { name, r#type: Some(1), value, secret: None });
    (vec(variable, 0..3), any::<bool>(), option::of(text()), vec(text(), 0..3)).prop_map(
        |(variables, shell, value, arguments)| CommandInfo {
            environment: Some(Environment { variables }),
            shell: Some(shell),
            value,
            arguments,
            ..CommandInfo::default()
        },
    )
}

fn resource() -> impl Strategy<Value = Resource> {
    (text(), option::of(double()), vec((any::<u64>(), any::<u64>()), 0..3)).prop_map(|(name, scalar, ranges)| {
        let range = ranges.into_iter().map(|(begin, end)| value::Range { begin, end }).collect();
        Resource {
            name,
            r#type: value::Type::Ranges.into(),
            scalar: scalar.map(|value| value::Scalar { value }),
            ranges: Some(value::Ranges { range }),
            ..Resource::default()
        }
    })
}

/// Every field with a default is set, because JSON fills it in.
fn health_check() -> impl Strategy<Value = HealthCheck> {
    let http = (any::<u32>(), option::of(text()), vec(any::<u32>(), 0..3)).prop_map(|(port, path, statuses)| {
        let options = path.clone().map(|host| HttpOptions {
            host: Some(host),
            body: Some(vec![0, 255]),
            redirects: Some(2),
            ignored_statuses: vec![StatusRange { begin: port, end: port }],
            ..HttpOptions::default()
        });
        HttpCheckInfo { protocol: Some(2), scheme: Some("https".to_owned()), port, path, statuses, options }
    });
    (double(), any::<u32>(), option::of(http)).prop_map(|(seconds, failures, http)| HealthCheck {
        delay_seconds: Some(seconds),
        interval_seconds: Some(seconds),
        timeout_seconds: Some(0.0),
        consecutive_failures: Some(failures),
        grace_period_seconds: Some(-seconds),
        consecutive_successes: Some(failures),
        edge_interval_seconds: Some(seconds),
        r#type: Some(2),
        http,
        ..HealthCheck::default()
    })
}

prop_compose! {
    fn task_info()(
        name in text(), id in text(), resources in vec(resource(), 0..3), command in option::of(command()),
        health_check in option::of(health_check()), health_checks in vec(health_check(), 0..3), data in option::of(vec(any::<u8>(), 0..20)),
        labels in option::of(labels()), time in option::of(any::<i64>()),
        limits in proptest::collection::btree_map(text(), double(), 0..3),
    ) -> TaskInfo {
        TaskInfo {
            name,
            task_id: TaskId { value: id },
            resources,
            command,
            health_check,
            health_checks,
            data,
            labels,
            max_completion_time: time.map(|nanoseconds| DurationInfo { nanoseconds }),
            limits: limits.into_iter().map(|(name, value)| (name, value::Scalar { value })).collect(),
            ..TaskInfo::default()
        }
    }
}

prop_compose! {
    fn task_status()(
        id in text(), state in 0..=13_i32, message in option::of(text()), uuid in option::of(vec(any::<u8>(), 16)),
        timestamp in option::of(double()), healthy in option::of(any::<bool>()),
        exit_code in option::of(any::<i32>()), pid in option::of(any::<u32>()), depth in 0_usize..5,
    ) -> TaskStatus {
        let root = ContainerId::from("root");
        let container_id = (0..depth).fold(root, |parent, level| parent.child(level.to_string()));
        TaskStatus {
            task_id: TaskId { value: id },
            state,
            message,
            uuid,
            timestamp,
            healthy,
            health: healthy.map(|healthy| TaskHealth {
                verdict: Some(1 + i32::from(!healthy)),
                checks: vec![HealthCheckResult { verdict: Some(0), ..HealthCheckResult::default() }],
            }),
            check_status: Some(CheckStatusInfo {
                r#type: Some(1),
                command: Some(check_status_info::Command { exit_code }),
                ..CheckStatusInfo::default()
            }),
            container_status: Some(ContainerStatus {
                container_id: Some(container_id),
                executor_pid: pid,
                ..ContainerStatus::default()
            }),
            ..TaskStatus::default()
        }
    }
}

fn assert_kept_by_both<M: Wire + PartialEq>(message: &M) {
    let text = Codec::Json.encode(message);
    assert!(!text.contains(&b'\n'), "one line");
    for codec in [Codec::Json, Codec::Protobuf] {
        assert_eq!(codec.decode::<M>(&codec.encode(message)).as_ref().ok(), Some(message));
    }
    assert_eq!(json::from_value::<M>(json::to_value(message)).as_ref().ok(), Some(message));
}

proptest! {
    #[test]
    fn tasks_survive_both_codecs(task in task_info()) {
        assert_kept_by_both(&task);
    }

    #[test]
    fn statuses_survive_both_codecs(status in task_status()) {
        assert_kept_by_both(&status);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Codec::Protobuf.decode::<TaskInfo>(&bytes);
        let _ = Codec::Protobuf.decode::<scheduler::Call>(&bytes);
        let _ = Codec::Json.decode::<scheduler::Call>(&bytes);
    }

    #[test]
    fn no_damage_makes_a_decoder_panic(task in task_info(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for codec in [Codec::Json, Codec::Protobuf] {
            let mut bytes = codec.encode(&task).to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = codec.decode::<TaskInfo>(&bytes);
            let _ = codec.decode::<TaskInfo>(&bytes[..at]);
        }
    }

    #[test]
    fn records_come_out_as_they_went_in(
        payloads in vec(vec(any::<u8>(), 0..300), 0..20), cuts in vec(1_usize..70, 1..50),
    ) {
        let stream: Vec<u8> = payloads.iter().flat_map(|payload| frame(payload)).collect();
        let (mut decoder, mut records, mut rest, mut cuts) =
            (Decoder::default(), Vec::new(), stream.as_slice(), cuts.iter().cycle());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            rest = after;
            decoder.push(piece);
            while let Some(record) = decoder.next().unwrap() {
                records.push(record.to_vec());
            }
        }
        prop_assert_eq!(records, payloads);
        prop_assert!(decoder.is_between_records());
    }

    #[test]
    fn no_stream_makes_the_record_decoder_panic(pieces in vec(vec(any::<u8>(), 0..30), 0..30)) {
        let mut decoder = Decoder::new(50);
        for piece in pieces {
            decoder.push(&piece);
            while let Ok(Some(record)) = decoder.next() {
                prop_assert!(record.len() <= 50);
            }
        }
    }
}

#[test]
fn the_header_of_a_record_is_strict() {
    let outcome = |stream: &[u8]| {
        let mut decoder = Decoder::new(100);
        decoder.push(stream);
        decoder.next().map(|record| record.map(|record| record.to_vec()))
    };
    assert_eq!(outcome(b"20\n{\"type\":\"HEARTBEAT\"}"), Ok(Some(b"{\"type\":\"HEARTBEAT\"}".to_vec())));
    assert_eq!(outcome(b"0\n"), Ok(Some(Vec::new())));
    assert_eq!(outcome(b"3\nab"), Ok(None));
    assert_eq!(outcome(b"18446744073709551615"), Ok(None));
    for wrong in ["\n", " 1\na", "+1\na", "-1\na", "1 \na", "1\r\na", "x", "100000000000000000000"] {
        assert!(matches!(outcome(wrong.as_bytes()), Err(RecordError::Header(_))), "{wrong:?}");
    }
    assert_eq!(outcome(b"101\n"), Err(RecordError::TooLarge { length: 101, limit: 100 }));
    assert!(matches!(outcome(b"99999999999999999999\n"), Err(RecordError::Header(_))));
    assert!(matches!(outcome(b"000000000000000000001\n"), Err(RecordError::Header(_))));
}
