//! The world of a core: its clock, what people ask of it, and everything that comes out. In: inputs. Out: answers, and the
//! calls, events and checks since they were last looked at.

use super::*;

/// The core, a clock, and everything that came out since it was last looked at.
pub(super) struct World {
    pub(super) core: Core,
    pub(super) texts: Texts,
    pub(super) now: Now,
    pub(super) calls: Vec<Call>,
    pub(super) events: Vec<Event>,
    pub(super) checks: Vec<CheckOrder>,
    /// Agents that the master was told to empty.
    pub(super) drains: Vec<Drain>,
    /// To agents.
    pub(super) questions: Vec<LateQuestion>,
}

impl World {
    pub(super) fn new() -> World {
        World::of(Loaded::default(), Timestamp::from_millis(1_000_000))
    }

    pub(super) fn of(loaded: Loaded, wall: Timestamp) -> World {
        World::at(loaded, Now { moment: Moment::from_millis(0), wall })
    }

    pub(super) fn at(loaded: Loaded, now: Now) -> World {
        let core = Core::new(loaded, Settings::default(), 1, now);
        let (calls, events, checks, drains) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let questions = Vec::new();
        let mut world = World { core, texts: Texts::default(), now, calls, events, checks, drains, questions };
        world.core.registration();
        world.tell(|core, now| core.subscribed("framework", "master:5050", now));
        world
    }

    /// Another scheduler on the same store.
    pub(super) fn restart(mut self) -> World {
        let json = |value: &Instance| serde_json::from_value::<Instance>(json!(value)).unwrap();
        let loaded = Loaded {
            framework_id: self.core.link.framework_id().map(str::to_owned),
            subscribers: self.core.out.subscribers().clone(),
            apps: self.core.definitions.records().map(|one| (one.app.id.clone(), one.clone())).collect(),
            groups: self.core.definitions.groups().map(|one| (one.id.clone(), one.clone())).collect(),
            instances: self.core.instances.values().map(|one| (one.id.clone(), json(one))).collect(),
            deployments: self.core.rollouts.all().map(|one| (one.id.clone(), one.clone())).collect(),
            departed: std::mem::take(self.core.kills.departed_mut()),
            past: self.core.past.all().cloned().collect(),
            endings: self.core.endings.of(&web()).cloned().collect(),
            drains: self.core.drains.all().cloned().collect(),
        };
        World::at(loaded, self.now)
    }

    pub(super) fn tell<T>(&mut self, input: impl FnOnce(&mut Core, Now) -> T) -> T {
        self.now = self.now.plus(Duration::from_millis(1));
        let result = input(&mut self.core, self.now);
        self.core.instances.assert_whole();
        let paused = self.core.instances.values().filter(|found| found.checked.paused.is_some()).map(|found| &found.id);
        assert!(self.core.checking.paused().eq(paused), "paused is what has a pause in its record");
        let is_unhealthy = |id| self.core.instances.get(id).map(Situation::of) == Some(Situation::Unhealthy);
        assert!(self.core.brake.held().all(is_unhealthy), "held is what runs unhealthy, and nothing else");
        self.core.tick(self.now);
        let effects = self.core.effects(self.now);
        self.calls.extend(effects.calls);
        self.events.extend(effects.events);
        self.checks.extend(effects.checks);
        self.drains.extend(effects.drains);
        self.questions.extend(effects.questions);
        result
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        self.tell(|_, _| ());
    }

    pub(super) fn create(&mut self, definition: Value) -> Result<Accepted, Refusal> {
        let update: AppUpdate = serde_json::from_value(definition).unwrap();
        self.tell(|core, now| core.create(update, false, now))
    }

    /// Makes these apps what is given for each, in the order of what they depend on.
    pub(super) fn change_set(
        &mut self,
        apps: &[(&str, Option<Value>)],
        order: &[(&str, &str)],
    ) -> Result<Option<String>, Refusal> {
        let now = self.now.plus(Duration::from_millis(1));
        let definition = |(name, json): &(&str, Option<Value>)| {
            let id = AppId::new(name);
            let update = json.clone().map(|json| serde_json::from_value::<AppUpdate>(json).unwrap());
            let before = self.core.definitions.wanted(&id).ok();
            let app = update.map(|update| match before {
                Some(before) => update.apply(before, now.wall).unwrap(),
                None => update.create(id.clone(), now.wall).unwrap(),
            });
            (id, app)
        };
        let wanted = apps.iter().map(definition).collect();
        let mut dependencies = crate::deployment::Dependencies::new();
        for (app, needs) in order {
            dependencies.entry(AppId::new(app)).or_default().insert(AppId::new(needs));
        }
        self.tell(|core, now| core.change_set(wanted, dependencies, Terms::default(), now))
    }

    pub(super) fn change(&mut self, change: Value, force: bool) -> Result<Accepted, Refusal> {
        let update: AppUpdate = serde_json::from_value(change).unwrap();
        let manner = Manner { partial: true, create: false, terms: Terms::forced(force) };
        self.tell(|core, now| core.change_app(&web(), update, manner, now))
    }

    /// An app of so many instances, with these fields beside the usual ones.
    pub(super) fn add(&mut self, instances: u32, more: Value) {
        let mut definition = definition(instances);
        definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.create(definition).unwrap();
    }

    /// A world with such an app.
    pub(super) fn with(instances: u32, more: Value) -> World {
        let mut world = World::new();
        world.add(instances, more);
        world
    }

    /// A world whose app is up, and its tasks.
    pub(super) fn up(instances: u32, more: Value) -> (World, Vec<String>) {
        let mut world = World::with(instances, more);
        let tasks = world.bring_up();
        world.told();
        world.calls.clear();
        (world, tasks)
    }

    /// A world whose app of one instance is up, and its task.
    pub(super) fn one(more: Value) -> (World, String) {
        let (world, mut tasks) = World::up(1, more);
        (world, tasks.remove(0))
    }

    /// A world whose app of one instance runs, and its task, of whose health nothing is known.
    pub(super) fn running(more: Value) -> (World, String) {
        let mut world = World::with(1, more);
        let task = world.launch().remove(0);
        world.update(&task, TaskState::TaskRunning, None);
        (world, task)
    }

    pub(super) fn app(&self) -> Value {
        self.core.view().app_json(&web(), &Embed::single(), self.now).unwrap_or_default()
    }

    /// The answer to `GET /v2/apps`.
    pub(super) fn apps(&mut self, embed: &Embed) -> Value {
        let apps = self.texts.apps(self.core.view(), &AppFilter::default(), embed, self.now);
        serde_json::from_str(&AppText::list(&apps)).unwrap()
    }

    pub(super) fn deployments(&self) -> Value {
        self.core.view().deployments_json(false, self.now)
    }

    /// A group, with all that is in it.
    pub(super) fn group(&self, id: &str) -> Value {
        let embed = GroupEmbed::of(std::iter::empty());
        self.core.view().group_json(&AppId::new(id), &embed, self.now).unwrap_or_default()
    }

    pub(super) fn put_group(&mut self, json: Value, force: bool) -> Result<Accepted, Refusal> {
        let update: GroupUpdate = serde_json::from_value(json).unwrap();
        self.tell(|core, now| core.put_group(&AppId::root(), update, Terms::forced(force), now))
    }

    pub(super) fn told(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.events).into_iter().map(|event| event.kind).collect()
    }
}

pub(super) fn web() -> AppId {
    AppId::new("/web")
}

pub(super) fn definition(instances: u32) -> Value {
    json!({"id": "/web", "cmd": "serve", "instances": instances, "cpus": 0.1, "mem": 1,
        "healthChecks": [{"protocol": "MESOS_HTTP", "portIndex": 0}]})
}
