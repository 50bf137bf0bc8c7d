//! Requests to the master's actor, and what looks see. The other end of the [`Handle`] is the actor's.

use mesos::server::EventSender;
use mesos::v1::{self, cygnet, master, scheduler};
use shell::Answer;

use crate::books::Books;
use crate::core::{AgentRefusal, CallRefusal, OperatorRefusal};
use crate::ids::StreamId;

pub(crate) type Handle = shell::Handle<Request, Books>;

/// One thing that the HTTP side asks for.
pub(crate) enum Request {
    Subscribe {
        stream: StreamId,
        sender: EventSender<scheduler::Event>,
        call: Box<scheduler::call::Subscribe>,
    },
    Call {
        stream: Option<StreamId>,
        /// The principal that was authenticated, if anybody has to be.
        principal: Option<String>,
        framework: v1::FrameworkId,
        call: Box<scheduler::call::Content>,
        answer: Answer<Result<(), CallRefusal>>,
    },
    SubscribeAgent {
        stream: StreamId,
        sender: EventSender<cygnet::AgentEvent>,
        call: Box<cygnet::agent_call::Subscribe>,
    },
    AgentCall {
        stream: Option<StreamId>,
        agent: v1::AgentId,
        call: Box<cygnet::agent_call::Content>,
        answer: Answer<Result<(), AgentRefusal>>,
    },
    SubscribeOperator {
        stream: StreamId,
        sender: EventSender<master::Event>,
        /// Events that may wait until the reader has its snapshot, and after that.
        queue: usize,
    },
    Operate {
        call: Box<master::call::Content>,
        answer: Answer<Result<Option<master::Response>, OperatorRefusal>>,
    },
    /// The other side of a stream is gone.
    Closed(StreamId),
}
