//! The page for Prometheus. In: numbers of apps and of the whole. Out: families, each told once for all apps. Pure.

use mesos::server::{Exposition, FamilyType};

use super::{AppNumbers, Monitoring};
use crate::core::AppFigures;
use crate::situation::Situation;

impl Monitoring {
    /// Adds all families to a page.
    pub(crate) fn tell(&self, page: &mut Exposition) {
        self.tell_instances(page);
        self.tell_gauges(page);
        self.tell_counters(page);
        self.tell_ends(page);
        self.tell_failures(page);
        self.tell_delays(page);
        self.tell_deployments(page);
        self.tell_whole(page);
    }

    fn tell_instances(&self, page: &mut Exposition) {
        let help = "Instances of an app or pod by what they are in now; held are those unhealthy that the brake keeps from being killed.";
        let mut family = page.family("cygnet_app_instances", FamilyType::Gauge, help);
        for app in &self.apps {
            for (situation, state) in Situation::ALL {
                let count = app.situations.of(situation);
                let held = if situation == Situation::Unhealthy { app.held } else { 0 };
                family.sample(&[("app", app.name()), ("state", state)], count.saturating_sub(held) as f64);
            }
            family.sample(&[("app", app.name()), ("state", "held")], app.held as f64);
        }
    }

    fn tell_gauges(&self, page: &mut Exposition) {
        let mut gauge = |name, help, value: fn(&AppNumbers) -> Option<f64>| {
            let mut family = page.family(name, FamilyType::Gauge, help);
            for app in &self.apps {
                value(app).into_iter().for_each(|value| family.sample(&[("app", app.name())], value));
            }
        };
        gauge("cygnet_app_instances_wanted", "Instances that an app or pod shall have.", |app| Some(app.wanted.into()));
        gauge(
            "cygnet_app_healthy_ratio",
            "Instances that are healthy, or run and have no health checks, of those wanted; more than 1 while a deployment has more.",
            AppNumbers::healthy_ratio,
        );
        gauge("cygnet_brake_held", "Unhealthy instances that the brake keeps from being killed.", |app| {
            Some(app.held as f64)
        });
        gauge("cygnet_app_failures_in_a_row", "Launches that failed one after the other.", |app| {
            Some(app.failures.into())
        });
        gauge("cygnet_app_backoff_seconds", "Time for which an app is not launched, because it failed.", |app| {
            Some(app.delay.as_secs_f64())
        });
        gauge(
            "cygnet_app_deployment_start_time_seconds",
            "Time since 1970 at which the deployment of an app began that is in progress.",
            |app| app.deployment.map(|begun| begun.millis() as f64 / 1000.0),
        );
    }

    fn tell_counters(&self, page: &mut Exposition) {
        let mut counter = |name, help, value: fn(&AppFigures) -> u64| {
            let mut family = page.family(name, FamilyType::Counter, help);
            self.apps.iter().for_each(|app| family.count(&[("app", app.name())], value(&app.figures)));
        };
        counter("cygnet_launches_total", "Instances that were launched.", |figures| figures.launches);
        counter("cygnet_restarts_total", "Instances whose task ended, and that were to have another one.", |figures| {
            figures.restarts
        });
        counter("cygnet_health_kills_total", "Instances that were killed for their health.", |figures| {
            figures.health_kills
        });
        counter("cygnet_brake_holds_total", "Unhealthy instances that the brake kept from being killed.", |figures| {
            figures.holds
        });
    }

    fn tell_ends(&self, page: &mut Exposition) {
        let help = "Tasks of an app, or of a pod as a whole, that ended, by their last state.";
        let mut family = page.family("cygnet_task_ends_total", FamilyType::Counter, help);
        for app in &self.apps {
            for (state, count) in &app.figures.ends {
                family.count(&[("app", app.name()), ("state", state)], *count);
            }
        }
    }

    fn tell_failures(&self, page: &mut Exposition) {
        let help =
            "Attempts of health checks that failed, also within the grace period, as far as executors tell them.";
        let mut family = page.family("cygnet_check_failures_total", FamilyType::Counter, help);
        for app in &self.apps {
            for ((check, kind), count) in &app.figures.failures {
                family.count(&[("app", app.name()), ("check", check), ("kind", kind)], *count);
            }
        }
    }

    fn tell_delays(&self, page: &mut Exposition) {
        let help = "Time from when an instance was wanted until its task ran, delays after failures included.";
        let mut family = page.family("cygnet_launch_delay_seconds", FamilyType::Histogram, help);
        for app in &self.apps {
            let delays = &app.figures.launch_delays;
            family.histogram(&[("app", app.name())], delays.buckets(), delays.sum().as_secs_f64());
        }
    }

    fn tell_deployments(&self, page: &mut Exposition) {
        let mut begun =
            page.family("cygnet_deployments_begun_total", FamilyType::Counter, "Deployments that were begun.");
        begun.count(&[], self.begun);
        let mut ended =
            page.family("cygnet_deployments_ended_total", FamilyType::Counter, "Deployments that are over, by how.");
        self.ended.iter().for_each(|(result, count)| ended.count(&[("result", result)], *count));
    }

    fn tell_whole(&self, page: &mut Exposition) {
        let mut gauge = |name, help, value: f64| page.family(name, FamilyType::Gauge, help).sample(&[], value);
        gauge("cygnet_deployments_in_progress", "Deployments that are not over.", self.deployments as f64);
        gauge(
            "cygnet_master_connected",
            "1 while the master hears the scheduler.",
            f64::from(u8::from(self.is_connected)),
        );
        gauge("cygnet_kills_in_progress", "Instances that were told to end, and have not.", self.kills as f64);
        gauge(
            "cygnet_departed_tasks",
            "Tasks on agents that are away that no instance stands for any more.",
            self.departed as f64,
        );
        gauge(
            "cygnet_unanswered_instances",
            "Instances of whose tasks the master was asked, and has not told.",
            self.unanswered as f64,
        );
    }
}

impl AppNumbers {
    fn name(&self) -> &str {
        self.id.as_str()
    }
}
