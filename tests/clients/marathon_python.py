"""Drives a scheduler with marathon-python, the client of the Marathon API on PyPI, as it is published.

    marathon_python.py http://127.0.0.1:8080 [TEST ...]

The client is strict: it refuses any field of an answer that it does not know. So these tests also hold every answer to
the fields that Marathon has.
"""

import collections
import collections.abc
import json
import logging
import sys
import threading
import unittest

# The release is of 2020. Python took this name away in 3.10; nothing else of the client is touched.
if not hasattr(collections, "Iterable"):
    collections.Iterable = collections.abc.Iterable

from marathon import MarathonClient
from marathon.exceptions import ConflictError, MarathonHttpError, NotFoundError
from marathon.models import MarathonApp, MarathonGroup, MarathonHealthCheck
from marathon.models.app import MarathonUpgradeStrategy, PortDefinition
from marathon.models.constraint import MarathonConstraint
from marathon.models.events import (
    MarathonAddHealthCheckEvent,
    MarathonDeploymentInfo,
    MarathonDeploymentSuccess,
    MarathonHealthStatusChangedEvent,
    MarathonStatusUpdateEvent,
)
from patience import until

CLIENT = None


def web(instances=2, **fields):
    check = MarathonHealthCheck(
        protocol="MESOS_HTTP", path="/health", port_index=0, grace_period_seconds=20, interval_seconds=1,
        timeout_seconds=1, max_consecutive_failures=3, delay_seconds=0)
    return MarathonApp(cmd="exec cygnet demo http --port $PORT0", cpus=0.01, mem=16, instances=instances,
                       health_checks=[check], **fields)


def sleeper(instances=1, **fields):
    return MarathonApp(cmd="exec sleep 100000", cpus=0.01, mem=4, instances=instances, **fields)


def settled():
    until("no deployment", lambda: not CLIENT.list_deployments())


def healthy(app_id, count):
    def as_wanted():
        app = CLIENT.get_app(app_id)
        return app if (app.tasks_healthy, len(app.tasks)) == (count, count) else None
    return until(f"{count} healthy tasks of {app_id}", as_wanted)


def task_ids(app_id):
    return {task.id for task in CLIENT.list_tasks(app_id)}


class Listener:
    """What the event stream told, collected beside the test."""

    def __init__(self, **how):
        self.events, self.fault = [], None
        stream = CLIENT.event_stream(**how)
        threading.Thread(target=self._listen, args=(stream,), daemon=True).start()

    def _listen(self, stream):
        try:
            for event in stream:
                self.events.append(event)
        except Exception as fault:
            self.fault = fault

    def wait(self, what, wanted):
        def found():
            if self.fault is not None:
                raise self.fault
            return next((event for event in list(self.events) if wanted(event)), None)
        return until(what, found)


class System(unittest.TestCase):
    def test_who_answers(self):
        self.assertEqual(CLIENT.ping().strip(b'"'), b"pong")
        info = until("a framework id", lambda: (lambda info: info if info.framework_id else None)(CLIENT.get_info()))
        self.assertTrue(info.elected)
        self.assertTrue(info.version.startswith("1."))
        self.assertEqual(CLIENT.get_leader()["leader"], info.leader)
        self.assertIn("gauges", CLIENT.get_metrics())


class WithApps(unittest.TestCase):
    def tearDown(self):
        for app in CLIENT.list_apps():
            CLIENT.delete_app(app.id, force=True)
        settled()


class Apps(WithApps):
    def test_life(self):
        created = CLIENT.create_app("/shop/web", web(2, env={"COLOUR": "blue"}, labels={"tier": "front"}))
        self.assertEqual((created.id, created.instances, created.tasks_running), ("/shop/web", 2, 0))
        self.assertTrue(created.deployments[0].id)
        app = healthy("/shop/web", 2)
        self.assertTrue(app.tasks[0].health_check_results[0].alive)
        settled()
        with self.assertRaises(ConflictError):
            CLIENT.create_app("/shop/web", web(2))

        before = task_ids("/shop/web")
        CLIENT.scale_app("/shop/web", delta=1)
        settled()
        self.assertTrue(before < task_ids("/shop/web"), "scaling up leaves what runs")
        CLIENT.scale_app("/shop/web", instances=1)
        settled()
        self.assertEqual(len(task_ids("/shop/web")), 1)

        first = CLIENT.get_app("/shop/web")
        changed = CLIENT.update_app("/shop/web", MarathonApp(env={"COLOUR": "red"}))
        self.assertTrue(changed["deploymentId"])
        settled()
        self.assertEqual(CLIENT.get_app("/shop/web").env["COLOUR"], "red")
        self.assertEqual(CLIENT.get_version("/shop/web", first.version).env["COLOUR"], "blue")
        self.assertIn(first.version, CLIENT.list_versions("/shop/web"))
        CLIENT.rollback_app("/shop/web", first.version)
        settled()
        self.assertEqual(CLIENT.get_app("/shop/web").env["COLOUR"], "blue")

        before = task_ids("/shop/web")
        CLIENT.restart_app("/shop/web")
        settled()
        self.assertFalse(before & task_ids("/shop/web"), "a restart replaces everything")
        CLIENT.delete_app("/shop/web")
        settled()
        with self.assertRaises(NotFoundError):
            CLIENT.get_app("/shop/web")

    def test_an_app_that_was_read_is_sent_back(self):
        CLIENT.create_app("/back", web(1, labels={"a": "b"}))
        healthy("/back", 1)
        settled()
        before = task_ids("/back")
        app = CLIENT.get_app("/back")
        app.instances = 2
        CLIENT.update_app("/back", app)
        settled()
        self.assertTrue(before < task_ids("/back"), "what was sent back unchanged restarts nothing")
        app = CLIENT.get_app("/back")
        app.labels["a"] = "c"
        CLIENT.update_app("/back", app, minimal=False)
        settled()
        self.assertEqual(CLIENT.get_app("/back").labels, {"a": "c"})

    def test_lists_are_filtered_and_embed(self):
        CLIENT.create_app("/list/one", sleeper(1, labels={"kind": "one"}))
        CLIENT.create_app("/list/two", sleeper(1, labels={"kind": "two"}))
        settled()
        everything = CLIENT.list_apps(
            embed_tasks=True, embed_counts=True, embed_deployments=True, embed_readiness=True,
            embed_last_task_failure=True, embed_failures=True)
        self.assertEqual([len(app.tasks) for app in everything], [1, 1])
        self.assertEqual([app.tasks_running for app in everything], [1, 1])
        self.assertEqual([app.id for app in CLIENT.list_apps(label="kind==one")], ["/list/one"])
        self.assertEqual([app.id for app in CLIENT.list_apps(app_id="TWO")], ["/list/two"])
        self.assertEqual(CLIENT.list_apps(cmd="nothing"), [])

    def test_every_field_the_client_knows(self):
        app = sleeper(
            1, backoff_seconds=2, backoff_factor=1.5, max_launch_delay_seconds=60, kill_selection="OLDEST_FIRST",
            constraints=[MarathonConstraint("hostname", "LIKE", ".*")], require_ports=False, disk=1,
            port_definitions=[PortDefinition(port=0, protocol="tcp", name="http", labels={"VIP_0": "/x:80"})],
            task_kill_grace_period_seconds=1, accepted_resource_roles=["*"],
            upgrade_strategy=MarathonUpgradeStrategy(minimum_health_capacity=0.5, maximum_over_capacity=0.2))
        CLIENT.create_app("/fields", app)
        settled()
        read = CLIENT.get_app("/fields")
        self.assertEqual((read.backoff_seconds, read.backoff_factor, read.kill_selection), (2, 1.5, "OLDEST_FIRST"))
        self.assertEqual(read.upgrade_strategy.minimum_health_capacity, 0.5)
        self.assertEqual((read.port_definitions[0].name, read.constraints[0].operator), ("http", "LIKE"))

    def test_bad_definitions_name_the_field(self):
        for app, path in [(sleeper(-1), "/instances"), (sleeper(1, backoff_factor=0.5), "/backoffFactor")]:
            with self.assertRaises(MarathonHttpError) as refused:
                CLIENT.create_app("/bad", app)
            self.assertEqual(refused.exception.status_code, 422)
            self.assertIn(path, json.dumps(refused.exception.error_details))
        with self.assertRaises(NotFoundError):
            CLIENT.list_versions("/nowhere")

    def test_several_at_once(self):
        one, two = sleeper(1, id="/many/one"), sleeper(2, id="/many/two")
        self.assertTrue(CLIENT.update_apps([one, two])["deploymentId"])
        settled()
        self.assertEqual((len(task_ids("/many/one")), len(task_ids("/many/two"))), (1, 2))


class Tasks(WithApps):
    def test_kills(self):
        CLIENT.create_app("/kills", web(3))
        healthy("/kills", 3)
        settled()
        self.assertEqual(len(CLIENT.list_endpoints()), 3)
        task = CLIENT.list_tasks("/kills")[0]
        self.assertEqual(CLIENT.kill_task("/kills", task.id).id, task.id)
        until("the task to be replaced", lambda: task.id not in task_ids("/kills"))
        healthy("/kills", 3)
        some = sorted(task_ids("/kills"))[:1]
        self.assertTrue(CLIENT.kill_given_tasks(some, scale=True))
        settled()
        self.assertEqual(CLIENT.get_app("/kills").instances, 2)
        healthy("/kills", 2)
        all_of_them = task_ids("/kills")
        self.assertEqual({task.id for task in CLIENT.kill_tasks("/kills")}, all_of_them)
        until("all to be replaced", lambda: not all_of_them & task_ids("/kills"))
        healthy("/kills", 2)
        self.assertTrue(CLIENT.kill_tasks("/kills", scale=True)["deploymentId"])
        settled()
        self.assertEqual(CLIENT.get_app("/kills").instances, 0)
        with self.assertRaises(NotFoundError):
            CLIENT.kill_task("/kills", task.id)

    def test_what_cannot_be_placed_waits_in_the_queue(self):
        large = sleeper(2)
        large.mem = 10_000_000
        CLIENT.create_app("/large", large)
        item = until("the queue", lambda: next(iter(CLIENT.list_queue(embed_last_unused_offers=True)), None))
        self.assertEqual((item.app.id, item.count, item.delay.overdue), ("/large", 2, True))
        CLIENT.reset_delay("/large")
        self.assertTrue(CLIENT.list_deployments())


class Deployments(WithApps):
    def test_a_deployment_that_cannot_end_locks_and_is_taken_back(self):
        CLIENT.create_app("/stuck", web(1))
        healthy("/stuck", 1)
        settled()
        before = task_ids("/stuck")
        begun = CLIENT.update_app("/stuck", MarathonApp(cmd="exec sleep 100000"))
        deployment = CLIENT.list_deployments()[0]
        self.assertEqual((deployment.id, deployment.affected_apps), (begun["deploymentId"], ["/stuck"]))
        self.assertEqual(deployment.current_actions[0].action, "RestartApplication")
        self.assertTrue(deployment.steps[0].actions)
        with self.assertRaises(ConflictError):
            CLIENT.scale_app("/stuck", instances=3)
        self.assertTrue(CLIENT.delete_deployment(deployment.id)["deploymentId"])
        settled()
        self.assertTrue(CLIENT.get_app("/stuck").cmd.startswith("exec cygnet"))
        self.assertEqual(task_ids("/stuck"), before)

    def test_a_deployment_is_let_go_by_force(self):
        large = sleeper(1)
        large.mem = 10_000_000
        deployment = CLIENT.create_app("/forced", large).deployments[0].id
        self.assertEqual(CLIENT.delete_deployment(deployment, force=True), {})
        settled()
        self.assertEqual(CLIENT.get_app("/forced").instances, 1)
        with self.assertRaises(NotFoundError):
            CLIENT.delete_deployment(deployment)


class Events(WithApps):
    def test_the_stream_tells_of_an_apps_life(self):
        everything = Listener()
        raw = Listener(raw=True, event_types=[MarathonHealthStatusChangedEvent, MarathonDeploymentInfo])
        CLIENT.create_app("/told", web(1))
        added = everything.wait("a check", lambda event: isinstance(event, MarathonAddHealthCheckEvent))
        self.assertEqual((added.app_id, added.health_check.protocol), ("/told", "MESOS_HTTP"))
        info = everything.wait("a deployment", lambda event: isinstance(event, MarathonDeploymentInfo))
        running = everything.wait("a running task", lambda event: isinstance(event, MarathonStatusUpdateEvent)
                                  and event.task_status == "TASK_RUNNING")
        self.assertEqual((running.app_id, len(running.ports)), ("/told", 1))
        done = everything.wait("its end", lambda event: isinstance(event, MarathonDeploymentSuccess))
        self.assertEqual(done.id, info.plan.id)
        change = json.loads(raw.wait("a change of health", lambda event: '"health_status_changed_event"' in event))
        self.assertIs(change["alive"], True)
        self.assertEqual({json.loads(event)["eventType"] for event in raw.events},
                         {"health_status_changed_event", "deployment_info"})


class Groups(unittest.TestCase):
    def tearDown(self):
        for group in CLIENT.list_groups():
            CLIENT.delete_group(group.id, force=True)
        settled()

    def test_life(self):
        store = sleeper(1, id="/product/db/store")
        front = sleeper(1, id="/product/front", dependencies=["/product/db"])
        group = MarathonGroup(id="/product", apps=[front], groups=[MarathonGroup(id="/product/db", apps=[store])])
        self.assertTrue(CLIENT.create_group(group)["deploymentId"])
        settled()
        self.assertEqual((len(task_ids("/product/front")), len(task_ids("/product/db/store"))), (1, 1))
        read = CLIENT.get_group("/product")
        self.assertEqual([app.id for app in read.apps], ["/product/front"])
        self.assertEqual([(inner.id, inner.apps[0].id) for inner in read.groups],
                         [("/product/db", "/product/db/store")])
        self.assertEqual([group.id for group in CLIENT.list_groups()], ["/product"])
        CLIENT.scale_group("/product", 2)
        settled()
        self.assertEqual((len(task_ids("/product/front")), len(task_ids("/product/db/store"))), (2, 2))
        read.apps[0].labels = {"changed": "yes"}
        CLIENT.update_group("/product", read)
        settled()
        self.assertEqual(CLIENT.get_app("/product/front").labels, {"changed": "yes"})
        CLIENT.delete_group("/product")
        settled()
        with self.assertRaises(NotFoundError):
            CLIENT.get_group("/product")
        self.assertEqual(CLIENT.list_apps(), [])


if __name__ == "__main__":
    logging.getLogger("marathon").setLevel(logging.CRITICAL)
    CLIENT = MarathonClient(sys.argv.pop(1))
    unittest.main(verbosity=2)
