//! Rollbar: the items that its SDKs post, and the API that its command line, dashboards and scripts call.
//!
//! **Invariant:** every answer is JSON with the headers that browsers need, whatever the request was; an item that was
//! answered with 200 is in the store and in the tracker's inbox.
