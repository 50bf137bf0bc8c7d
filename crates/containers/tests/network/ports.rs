//! Firewalls of others.

use containers::network::ports::{inspect, let_through, shut_out};

use crate::world::{MACHINE, OUTSIDE, ask, ask_in_vain, at, on_a_machine, run, serve, socket, tcp};

#[test]
fn a_firewall_that_drops_is_told_of_and_opened_where_asked() {
    on_a_machine("a_firewall_that_drops_is_told_of_and_opened_where_asked", &["iptables", "nsenter"], |world| {
        let outside = world.neighbour();
        serve(&outside, 81);
        let mut bridge = world.bridge(&[]);
        let (made, _) = world.served(&mut bridge, "a", &[tcp(31000, 80)]);
        assert_eq!(inspect().unwrap().warning("mesos-bridge"), None);
        // As Docker leaves it.
        run("iptables -w -P FORWARD DROP; iptables -w -N DOCKER-USER; iptables -w -A DOCKER-USER -j RETURN; \
             iptables -w -I FORWARD -j DOCKER-USER");
        let firewall = inspect().unwrap();
        assert_eq!(firewall.dropping, ["ip filter FORWARD"]);
        let port = socket(&format!("{MACHINE}:31000"));
        assert_eq!(at(&outside, move || ask_in_vain(port)), None);
        for _again in 0..2 {
            assert!(let_through(&firewall, "mesos-bridge").unwrap());
        }
        assert_eq!(at(&outside, move || ask(port)).unwrap(), OUTSIDE);
        assert_eq!(at(&made.handle(), || ask(socket(&format!("{OUTSIDE}:81")))).unwrap(), MACHINE);
        assert_eq!(run("iptables -w -S DOCKER-USER").matches("mesos-bridge").count(), 2);
        // One that was made before Docker came.
        run("iptables -w -I FORWARD -i mesos-bridge -j ACCEPT -m comment --comment cygnet");
        for _again in 0..2 {
            shut_out(&firewall, "mesos-bridge").unwrap();
        }
        assert_eq!(run("iptables -w -S DOCKER-USER"), "-N DOCKER-USER\n-A DOCKER-USER -j RETURN\n");
        assert!(!run("iptables -w -S FORWARD").contains("mesos-bridge"));
    });
}
