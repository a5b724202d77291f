// verify_log checks a C2SP tlog-tiles log with the Go project's own packages, golang.org/x/mod/sumdb/note and tlog, and with nothing of
// ours: the checkpoint's signature, every tile up to the root, every entry under its tile, an older checkpoint, and served proofs.
//
//	verify_log VKEY FOLDER|URL [OLDER_CHECKPOINT]
//
// It exits with 0 and prints the size only when all of it holds.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

// place is where the log's files are: a folder, or a URL prefix.
type place string

func (p place) served() bool { return strings.HasPrefix(string(p), "http") }

func (p place) read(path string) ([]byte, error) {
	if !p.served() {
		return os.ReadFile(filepath.Join(string(p), filepath.FromSlash(path)))
	}
	answer, err := http.Get(string(p) + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

// Height, ReadTiles and SaveTiles make a place a tlog.TileReader. The package writes its height into a path, tlog-tiles does not.
func (p place) Height() int { return height }

func (p place) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		data, err := p.read(strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func (p place) SaveTiles([]tlog.Tile, [][]byte) {}

// opened checks a checkpoint's signature and reads origin, size and root.
func opened(text []byte, verifier note.Verifier) (tlog.Tree, error) {
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("the checkpoint is of another log, or none")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func verify(vkey string, log place, older string) (int64, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return 0, err
	}
	text, err := log.read("checkpoint")
	if err != nil {
		return 0, err
	}
	tree, err := opened(text, verifier)
	if err != nil {
		return 0, err
	}
	hashes := tlog.TileHashReader(tree, log)
	leaves, err := entries(log, tree, hashes)
	if err != nil {
		return 0, err
	}
	if older != "" {
		if err := continues(older, verifier, tree, hashes); err != nil {
			return 0, err
		}
	}
	if log.served() && tree.N > 0 {
		for _, index := range []int64{0, tree.N / 2, tree.N - 1} {
			if err := proven(log, verifier, index, leaves[index]); err != nil {
				return 0, fmt.Errorf("proof of %d: %w", index, err)
			}
		}
	}
	return tree.N, nil
}

// entries compares every entry with its hash in the tree, which the reader authenticates up to the root.
func entries(log place, tree tlog.Tree, hashes tlog.HashReader) ([]tlog.Hash, error) {
	var leaves []tlog.Hash
	for first := int64(0); first < tree.N; first += width {
		count := tree.N - first
		if count > width {
			count = width
		}
		tile := tlog.Tile{H: height, L: -1, N: first / width, W: int(count)}
		bundle, err := log.read(strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/data/", height), "tile/entries/", 1))
		if err != nil {
			return nil, err
		}
		var indexes []int64
		for n := int64(0); n < count; n++ {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("entry %d is cut off", first+n)
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			leaves = append(leaves, tlog.RecordHash(bundle[2:end]))
			indexes = append(indexes, tlog.StoredHashIndex(0, first+n))
			bundle = bundle[end:]
		}
		if len(bundle) > 0 {
			return nil, fmt.Errorf("there is more behind entry %d", first+count-1)
		}
		right, err := hashes.ReadHashes(indexes)
		if err != nil {
			return nil, err
		}
		for n, hash := range right {
			if hash != leaves[first+int64(n)] {
				return nil, fmt.Errorf("entry %d is not the one in the tree", first+int64(n))
			}
		}
	}
	return leaves, nil
}

// continues checks that an older checkpoint is the beginning of the tree.
func continues(older string, verifier note.Verifier, tree tlog.Tree, hashes tlog.HashReader) error {
	text, err := os.ReadFile(older)
	if err != nil {
		return err
	}
	old, err := opened(text, verifier)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

// proven reads a served C2SP tlog-proof and checks it, its checkpoint included.
func proven(log place, verifier note.Verifier, index int64, leaf tlog.Hash) error {
	served, err := log.read(fmt.Sprintf("proof/%d", index))
	if err != nil {
		return err
	}
	head, checkpoint, _ := strings.Cut(string(served), "\n\n")
	tree, err := opened([]byte(checkpoint), verifier)
	if err != nil {
		return err
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != fmt.Sprintf("index %d", index) {
		return fmt.Errorf("not a tlog-proof of it")
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		var hash tlog.Hash
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(raw) != len(hash) {
			return fmt.Errorf("%q is no hash", line)
		}
		copy(hash[:], raw)
		proof = append(proof, hash)
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf)
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "verify_log VKEY FOLDER|URL [OLDER_CHECKPOINT]")
		os.Exit(2)
	}
	older := ""
	if len(os.Args) > 3 {
		older = os.Args[3]
	}
	size, err := verify(os.Args[1], place(strings.TrimRight(os.Args[2], "/")), older)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(size)
}
