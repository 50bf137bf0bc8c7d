"""A framework on avmesos, which speaks over `requests`: a command task that is killed, and one that ends.

In: the master as host:port. Out: a line for each step; exit status 0 when all went as told.
"""

import queue
import sys
import threading

from avmesos.client import MesosClient

WAIT_SECS = 60


class Story:
    def __init__(self, master):
        self.happened, self.seen = queue.Queue(), set()
        self.client = MesosClient(mesos_urls=["http://" + master], frameworkName="avmesos", frameworkUser="root")
        self.client.set_checkpoint(True)
        self.client.set_failover_timeout(60)
        self.client.on(MesosClient.SUBSCRIBED, lambda driver: self.happened.put(("subscribed", driver)))
        self.client.on(MesosClient.OFFERS, lambda offers: [self.happened.put(("offer", o)) for o in offers])
        self.client.on(MesosClient.UPDATE, lambda update: self.happened.put(("update", update)))
        self.client.on(MesosClient.ERROR, lambda message: self.happened.put(("error", message)))

    def next(self, kind, nudge=lambda: None):
        """The client tells an event when the one after it comes; `nudge` is asked for another while it does not."""
        for _ in range(WAIT_SECS):
            try:
                what, value = self.happened.get(timeout=1)
            except queue.Empty:
                nudge()
                continue
            if what == "error":
                sys.exit("the master says: %s" % value)
            if what == kind:
                return value
        sys.exit("waited in vain for %s" % kind)

    def launch(self, driver, task, command):
        driver.revive()
        offer = self.next("offer", self.nudge(driver))
        while not self.enough(offer.get_offer()):
            offer.decline({"filters": {"refuse_seconds": 0}})
            offer = self.next("offer", self.nudge(driver))
        driver.suppress()
        agent = offer.get_offer()["agent_id"]
        resources = [{"name": n, "type": "SCALAR", "scalar": {"value": v}} for n, v in (("cpus", 0.1), ("mem", 32))]
        offer.accept([{"name": task, "task_id": {"value": task}, "agent_id": agent, "resources": resources,
                       "command": {"value": command}}], {"filters": {"refuse_seconds": 0}})
        return agent["value"]

    @staticmethod
    def enough(offer):
        amounts = {r["name"]: r["scalar"]["value"] for r in offer["resources"] if r["type"] == "SCALAR"}
        return amounts.get("cpus", 0) >= 1 and amounts.get("mem", 0) >= 256

    @staticmethod
    def nudge(driver):
        return lambda: driver.reconcile([{"task_id": {"value": "nobody"}}])

    def expect(self, driver, task, state):
        """The next update, which may have come several times: what is not acknowledged in time is sent again."""
        while True:
            status = self.next("update", self.nudge(driver))["status"]
            if "uuid" in status and status["uuid"] not in self.seen:
                break
        self.seen.add(status["uuid"])
        got = (status["task_id"]["value"], status["state"])
        if got != (task, state):
            sys.exit("expected %s, got %s: %s" % ((task, state), got, status))
        print("%s is %s" % got, flush=True)

    def run(self):
        threading.Thread(target=self.client.register, daemon=True).start()
        driver = self.next("subscribed")
        agent = self.launch(driver, "long", "exec sleep 1000")
        for state in ("TASK_STARTING", "TASK_RUNNING"):
            self.expect(driver, "long", state)
        driver.kill(agent, "long")
        self.expect(driver, "long", "TASK_KILLED")
        self.launch(driver, "short", "exit 0")
        for state in ("TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"):
            self.expect(driver, "short", state)
        driver.tearDown()


if __name__ == "__main__":
    Story(sys.argv[1]).run()
