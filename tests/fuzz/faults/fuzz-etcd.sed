# in stores/etcd/answer.c: room for what base64 has is counted without the rest of a group
s/malloc(size \/ 4 \* 3 + 4)/malloc(size \/ 4 * 3)/
