"""A framework on pymesos: a task on an executor of its own, a command task, a health-checked task, from launch to end.

In: the master as host:port, the agent as host:port. Out: a line for each step; exit status 0 when all went as told.
"""

import os
import queue
import sys

from pymesos import MesosOperatorAgentDriver, MesosOperatorMasterDriver, MesosSchedulerDriver, Scheduler

HERE = os.path.dirname(os.path.abspath(__file__))
WAIT_SECS = 60


class Recorder(Scheduler):
    """Puts what happens on a queue, for the story below to take one by one."""

    def __init__(self):
        self.happened = queue.Queue()

    def registered(self, driver, framework_id, master_info):
        self.happened.put(("registered", framework_id["value"]))

    def reregistered(self, driver, master_info):
        self.happened.put(("reregistered", master_info))

    def resourceOffers(self, driver, offers):
        for offer in offers:
            self.happened.put(("offer", offer))

    def statusUpdate(self, driver, status):
        self.happened.put(("update", status))

    def frameworkMessage(self, driver, executor_id, agent_id, data):
        self.happened.put(("message", (executor_id["value"], data)))

    def error(self, driver, message):
        self.happened.put(("error", message))

    def next(self, kind):
        while True:
            what, value = self.happened.get(timeout=WAIT_SECS)
            if what == "error":
                sys.exit("the master says: %s" % value)
            if what == kind:
                return value

    def expect(self, task, state):
        status = self.next("update")
        got = (status["task_id"]["value"], status["state"])
        if got != (task, state):
            sys.exit("expected %s, got %s: %s" % ((task, state), got, status))
        print("%s is %s" % got, flush=True)
        return status


def scalar(name, value):
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}}


def enough(offer):
    amounts = {r["name"]: r["scalar"]["value"] for r in offer["resources"] if r["type"] == "SCALAR"}
    return amounts.get("cpus", 0) >= 1 and amounts.get("mem", 0) >= 256


class Story:
    def __init__(self, master):
        self.told = Recorder()
        info = {"user": "root", "name": "pymesos", "checkpoint": True, "capabilities": [{"type": "TASK_KILLING_STATE"}]}
        self.driver = MesosSchedulerDriver(self.told, info, master)

    def launch(self, task, **more):
        self.driver.reviveOffers()
        offer = self.told.next("offer")
        while not enough(offer):
            self.driver.declineOffer(offer["id"], filters={"refuse_seconds": 0})
            offer = self.told.next("offer")
        self.driver.suppressOffers()
        whole = {"name": task, "task_id": {"value": task}, "agent_id": offer["agent_id"],
                 "resources": [scalar("cpus", 0.1), scalar("mem", 32)]}
        whole.update(more)
        self.driver.launchTasks(offer["id"], [whole], filters={"refuse_seconds": 0})
        return offer["agent_id"]

    def run(self):
        self.driver.start()
        print("registered as %s" % self.told.next("registered"), flush=True)
        self.on_its_own_executor()
        self.launch("command", command={"value": "exit 0"})
        for state in ("TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"):
            self.told.expect("command", state)
        self.checked()
        self.driver.stop()
        self.driver.join()

    def on_its_own_executor(self):
        program = "exec '%s' '%s'" % (sys.executable, os.path.join(HERE, "pymesos_executor.py"))
        executor = {"type": "CUSTOM", "executor_id": {"value": "e"}, "command": {"value": program},
                    "resources": [scalar("cpus", 0.1), scalar("mem", 32)]}
        agent = self.launch("own", executor=dict(executor, framework_id=self.driver._framework["id"]), data="aGk=")
        self.told.expect("own", "TASK_RUNNING")
        self.driver.sendFrameworkMessage({"value": "e"}, agent, "cGluZw==")
        if self.told.next("message") != ("e", "cGluZw=="):
            sys.exit("the executor said something else")
        print("a message went there and back", flush=True)
        self.driver.reconcileTasks([{"task_id": {"value": "own"}}])
        if self.told.expect("own", "TASK_RUNNING")["reason"] != "REASON_RECONCILIATION":
            sys.exit("that was no reconciliation")
        self.driver.killTask({"value": "own"})
        self.told.expect("own", "TASK_KILLED")

    def checked(self):
        check = {"type": "COMMAND", "command": {"value": "true"}, "delay_seconds": 0, "interval_seconds": 0.1}
        self.launch("checked", command={"value": "exec sleep 1000"}, health_check=check)
        self.told.expect("checked", "TASK_STARTING")
        self.told.expect("checked", "TASK_RUNNING")
        if self.told.expect("checked", "TASK_RUNNING").get("healthy") is not True:
            sys.exit("it should be healthy")
        self.driver.killTask({"value": "checked"})
        self.told.expect("checked", "TASK_KILLING")
        self.told.expect("checked", "TASK_KILLED")


def operate(driver, calls):
    """The operator API, which pymesos asks for below `/api/v1/operator`."""
    for call in calls:
        answer = getattr(driver, call)()
        if not answer:
            sys.exit("%s has no answer" % call)
    print("answered: %s" % ", ".join(calls), flush=True)


def main(master, agent):
    Story(master).run()
    both = ["getHealth", "getVersion", "getFlags", "getState", "getFrameworks", "getExecutors", "getTasks"]
    operate(MesosOperatorMasterDriver(master), both + ["getAgents", "getRoles", "getMaster"])
    operate(MesosOperatorAgentDriver(agent), both + ["getContainers"])


if __name__ == "__main__":
    main(*sys.argv[1:3])
