"""Drives a scheduler with the Marathon client of the DC/OS command line, `dcos` on PyPI, as it is published.

    dcos_marathon.py http://127.0.0.1:8080 [TEST ...]

It knows pods, which marathon-python does not.
"""

import collections
import collections.abc
import sys
import unittest

# The release is of 2018. Python took these names away in 3.10; nothing else of the client is touched.
for name in ("Mapping", "MutableMapping"):
    if not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))

from dcos import rpcclient
from dcos.errors import DCOSException, DCOSUnprocessableException
from dcos.marathon import Client
from patience import until

CLIENT = None


def settled():
    until("no deployment", lambda: not CLIENT.get_deployments())


def sleeper(app_id, **fields):
    return {"id": app_id, "cmd": "exec sleep 100000", "cpus": 0.01, "mem": 4, **fields}


def task_ids(app_id):
    return {task["id"] for task in CLIENT.get_tasks(app_id)}


class Marathon(unittest.TestCase):
    def tearDown(self):
        for pod in CLIENT.list_pod():
            CLIENT.remove_pod(pod["id"], force=True)
        CLIENT.remove_group("/", force=True)
        settled()

    def test_who_answers(self):
        self.assertTrue(CLIENT.get_about()["version"].startswith("1."))
        self.assertEqual(CLIENT.get_leader(), CLIENT.get_about()["leader"])
        self.assertTrue(CLIENT.pod_feature_supported())

    def test_apps(self):
        deployment = CLIENT.add_app(sleeper("/cli", labels={"DCOS_PACKAGE_FRAMEWORK_NAME": "cli"}))
        settled()
        self.assertIsNone(CLIENT.get_deployment(deployment))
        self.assertEqual([app["id"] for app in CLIENT.get_apps_for_framework("cli")], ["/cli"])
        CLIENT.update_app("/cli", {"env": {"COLOUR": "red"}})
        settled()
        CLIENT.scale_app("/cli", 2)
        settled()
        before = task_ids("/cli")
        self.assertEqual(len(before), 2)
        self.assertEqual(len(CLIENT.get_app_versions("/cli", max_count=2)), 2)
        CLIENT.restart_app("/cli")
        settled()
        self.assertFalse(before & task_ids("/cli"))
        victim = sorted(task_ids("/cli"))[0]
        self.assertEqual(CLIENT.get_task(victim)["state"], "TASK_RUNNING")
        self.assertEqual(CLIENT.stop_task(victim, wipe=True)["id"], victim)
        until("another task", lambda: victim not in task_ids("/cli") and len(task_ids("/cli")) == 2)
        self.assertEqual(len(CLIENT.kill_tasks("/cli")["tasks"]), 2)
        CLIENT.remove_app("/cli")
        settled()
        self.assertEqual(CLIENT.get_apps(), [])

    def test_what_is_refused_is_told(self):
        with self.assertRaises(DCOSUnprocessableException) as refused:
            CLIENT.add_app(sleeper("/bad", cpus=-1))
        self.assertIn("/cpus", str(refused.exception))
        with self.assertRaises(DCOSException):
            CLIENT.get_app("/nowhere")
        CLIENT.add_app(sleeper("/large", mem=10_000_000))
        with self.assertRaises(DCOSException):
            CLIENT.update_app("/large", {"mem": 4})
        queued = until("the queue", CLIENT.get_queued_apps)
        self.assertEqual(queued[0]["app"]["id"], "/large")
        CLIENT.update_app("/large", {"mem": 4}, force=True)
        settled()

    def test_groups(self):
        CLIENT.create_group({"id": "/team", "apps": [sleeper("/team/a")]})
        settled()
        CLIENT.scale_group("/team", 2)
        settled()
        self.assertEqual(len(task_ids("/team/a")), 2)
        self.assertEqual([app["id"] for app in CLIENT.get_group("/team")["apps"]], ["/team/a"])
        CLIENT.update_group("/team", {"apps": [sleeper("/team/b")]})
        settled()
        self.assertEqual([app["id"] for app in CLIENT.get_apps()], ["/team/b"])

    def test_pods(self):
        container = {"name": "one", "resources": {"cpus": 0.01, "mem": 4},
                     "exec": {"command": {"shell": "exec sleep 100000"}}}
        pod = {"id": "/pod", "containers": [container], "networks": [{"mode": "host"}],
               "scaling": {"kind": "fixed", "instances": 1}}
        CLIENT.add_pod(pod)
        settled()
        self.assertEqual([(pod["id"], pod["status"]) for pod in CLIENT.list_pod()], [("/pod", "STABLE")])
        pod["scaling"]["instances"] = 2
        CLIENT.update_pod("/pod", pod)
        settled()
        instances = [instance["id"] for instance in CLIENT.show_pod("/pod")["instances"]]
        killed = CLIENT.kill_pod_instances("/pod", instances[:1])
        self.assertEqual([instance["id"] for instance in killed], instances[:1])


if __name__ == "__main__":
    CLIENT = Client(rpcclient.RpcClient(sys.argv.pop(1), timeout=10))
    unittest.main(verbosity=2)
