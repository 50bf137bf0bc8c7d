// A pod in the shape of an app: in, its status with the reasons; out, its instances as tasks, each with its containers. Pure.

export function asApp({ id, spec, instances, waiting = [], ended = [] }) {
  const tasks = instances.filter(({ containers }) => containers.length).map(ofInstance);
  return { id, isPod: true, instances: spec.scaling?.instances ?? 1, version: spec.version, tasks, waiting, ended };
}

/** It has no task of its own: logs and attempts are those of its containers. */
function ofInstance({ status, agentHostname, containers, health, specReference, statusSince }) {
  return {
    state: stateOf(status, containers),
    host: agentHostname,
    ports: containers.flatMap(({ endpoints = [] }) => endpoints.map(({ allocatedHostPort }) => allocatedHostPort)).filter(Boolean),
    stagedAt: statusSince,
    message: containers.find(({ status, message }) => status === 'TASK_STAGING' && message)?.message,
    version: specReference?.split('/').at(-1),
    containers: containers.map(({ name, containerId }) => ({ name, task: containerId })),
    health,
  };
}

function stateOf(status, containers) {
  if (containers.some((container) => container.status === 'TASK_UNREACHABLE')) return 'TASK_UNREACHABLE';
  if (status === 'TERMINAL') return 'TASK_KILLING';
  return status === 'STAGING' ? 'TASK_STAGING' : 'TASK_RUNNING';
}
