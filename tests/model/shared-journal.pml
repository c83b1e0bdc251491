/* SPDX-License-Identifier: MIT */
/*
 * The transaction of one login on many machines, for spin: two machines that share a refresh token in a store with
 * versions, leases and records. Processes die, pause and are overtaken between any two steps; a person logs in anew
 * meanwhile. CONTRIBUTING.md ("The model") says what is assumed, `tests/model/check` runs it.
 *
 * What holds in every order of steps:
 *   send     no machine sends a refresh token that the other may still send
 *   newest   the store's refresh token is never replaced by an older one
 *   kept     an answer that has arrived is in the store, or parked, or shared, until a newer one is
 *
 * Each rule of the transaction can be broken from the command line (-DMARK_BLINDLY and so on), which must be found out.
 */

#ifndef RUNS
#define RUNS 2 /* of each machine */
#endif
#ifndef DEATHS
#define DEATHS 1 /* of processes, of both machines together */
#endif

#define NOBODY 255
#define NONE 0

/* A refresh token: ten times the login that it comes from, and how often it was renewed since. */
#define login_of(token) ((token) / 10)
#define LOGINS 3

/* The service: what it takes of each login (NONE: it was sent a token twice and ended the login). */
byte takes[LOGINS];

/* The store, each group in one transaction where it says `atomic`. */
byte value = 10, version = 1;
byte holder = NOBODY;
byte marked = NONE, mark_by = NOBODY, mark_tries = 0;
bool mark_recent = false; /* within the few seconds in which a token of unknown fate is sent once more */
byte shared = NONE, shared_version = 0;

/* The machines' own: outlives a process. */
byte parked[2], parked_version[2];
byte deaths = DEATHS;

/* Stands for the fencing number: is the lease that was taken for this run still the one there is? */
bool leased[2];

/* For the properties alone. */
byte may_send[2]; /* has passed the last check for this token */
byte arrived = NONE; /* the newest refresh token that has come out of a socket */

#define holds_lease leased[me]
#define may_die if :: true :: atomic { deaths > 0 -> deaths-- }; goto died fi
#define unmark marked = NONE; mark_tries = 0; mark_by = NOBODY; mark_recent = false
#define unshare shared = NONE; shared_version = 0
#define unpark atomic { parked[me] = NONE; parked_version[me] = 0 }
#define forget may_send[me] = NONE; sent = false; answer = NONE; refused = false; token = NONE; read = 0; tries = 0; mine = false

/* store_if: the new token, away with mark and parked answer, all or nothing. */
inline store_if(new, read_version) {
	atomic {
		if
#ifdef STORE_BLINDLY
		:: true ->
#else
		:: version == read_version ->
#endif
			assert(new >= value); /* newest */
			value = new; version++;
			unmark; unshare
		:: else -> skip
		fi
	}
}

inline acquire() {
	atomic { holder == NOBODY -> holder = me; leased[me] = true }
}

inline release() {
	atomic { if :: holds_lease -> leased[me] = false; holder = NOBODY :: else -> skip fi }
}

/* The request, and what comes of it: lost on the way, taken and the answer lost, an answer, a refusal. */
inline send() {
	atomic {
		assert(may_send[1 - me] != token); /* send */
		sent = true; answer = NONE; refused = false;
		if
		:: true -> skip
		:: true ->
			if
			:: takes[login_of(token)] == token ->
				takes[login_of(token)] = token + 1;
				if
				:: true -> skip
				:: true -> answer = token + 1;
					if :: answer > arrived -> arrived = answer :: else -> skip fi;
#ifndef PARK_LATE
					parked[me] = answer; parked_version[me] = read /* one system call */
#endif
				fi
			:: else -> takes[login_of(token)] = NONE; refused = true
			fi
		fi
	}
}

proctype machine(byte me) {
	byte runs = 0, token, read, answer, tries;
	bool refused, sent, mine; /* mine: this run wrote the mark */

end:
	do
	:: runs < RUNS ->
		runs++;
		acquire();
		may_die;

		/* What a run before has parked here, or another machine has shared, comes first. */
		if
		:: parked[me] != NONE ->
			store_if(parked[me], parked_version[me]);
			may_die;
			unpark
		:: else -> skip
		fi;
		atomic { answer = shared; read = shared_version };
		if :: answer != NONE -> may_die; store_if(answer, read) :: else -> skip fi;

		atomic { token = value; read = version };
		may_die;

		/* The mark: only by who holds the lease, for what was read, and only where no other's stands in the way. */
		tries = 0; sent = false; mine = false;
		atomic {
			if
#ifndef MARK_BLINDLY
			:: !holds_lease || version != read -> tries = 2
#endif
#ifndef IGNORE_MARK
			:: marked == token && (!mark_recent || mark_tries >= 2) -> tries = 2 /* uncertain: a person's */
#endif
			:: else ->
				mark_tries = (marked == token -> mark_tries + 1 : 1);
				marked = token; mark_by = me; mark_recent = true; mine = true
			fi
		};

		do
		:: tries < 2 ->
			tries++;
			may_die;
			/* Does the lease outlive the request, with room to spare? From here on nothing stops what is under way. */
			atomic {
				if
#ifndef SEND_LATE
				:: !holds_lease -> tries = 2; break
#endif
				:: else -> may_send[me] = token
				fi
			};
			may_die;
			send();
			if :: answer != NONE || refused || mark_tries > 1 -> tries = 2 :: else -> skip fi;
			if :: tries == 2 -> may_send[me] = NONE; break :: else -> skip fi;
			if :: atomic { true -> may_send[me] = NONE; tries = 2 }; break /* no time is left for another */
			:: true -> skip
			fi
		:: else -> break
		od;

		/* Nothing was sent: the mark was ours and says something that is not so. */
		atomic {
			may_send[me] = NONE;
			if
			:: !sent && token != NONE && marked == token && mark_by == me && mark_tries == 1 && mine -> unmark
			:: else -> skip
			fi
		};

		if
		:: sent && answer != NONE ->
			may_die;
#ifdef PARK_LATE
			parked[me] = answer; parked_version[me] = read;
#endif
			atomic { if :: version == read -> shared = answer; shared_version = read :: else -> skip fi };
			may_die;
			if
			:: true -> store_if(answer, read); may_die; unpark
			:: true -> skip /* the store cannot be reached: what is parked waits for the next run here */
			fi
		:: else -> skip
		fi;
		may_die;
		release();
		atomic { forget };
		goto next;
died:
		atomic { forget; leased[me] = false };
next:
		skip
	:: else -> break
	od
}

/* A person logs in, whoever has the lease: what stands in the store is another version then, and nobody's mark or answer fits it. */
proctype person() {
	takes[2] = 20;
	atomic {
		assert(20 >= value);
		value = 20; version++; unmark; unshare;
		if :: arrived < 20 -> arrived = 20 :: else -> skip fi
	}
}

/* The engine takes a lease away from who does not keep it, and machines do from who has not marked anything. Who had passed the last
 * check had it for longer than a token of unknown fate may be sent again, so the mark is old by then. */
proctype engine() {
end:
	do
	:: atomic {
		holder != NOBODY ->
#ifndef NO_ROOM
		if :: may_send[holder] != NONE -> mark_recent = false :: else -> skip fi;
#endif
		leased[holder] = false; holder = NOBODY
	}
	:: atomic { mark_recent -> mark_recent = false }
	od
}

#define is_kept(token) (value >= token || shared >= token || parked[0] >= token || parked[1] >= token)

proctype monitor() {
end:
	atomic { !is_kept(arrived) -> assert(false) } /* kept */
}

init {
	atomic {
		takes[1] = 10;
		run machine(0);
		run machine(1);
#ifndef NO_LOGIN
		run person();
#endif
		run engine();
		run monitor()
	}
}
