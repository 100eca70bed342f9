// Holds logs of ours against golang.org/x/mod, which knows nothing of us but the path of a tile.
// Reads folders from standard input, a line each, and answers each with "accepted" or "refused: " and why.
// A folder holds log.vkey, checkpoint, tile/..., and may hold N.tlog-proof, checkpoint.old and checkpoint.consistency.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	folders := bufio.NewScanner(os.Stdin)
	for folders.Scan() {
		if err := check(folder(folders.Text())); err != nil {
			fmt.Printf("refused: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("accepted")
		}
	}
}

type folder string

func (f folder) read(name string) ([]byte, error) { return os.ReadFile(filepath.Join(string(f), name)) }

func (f folder) Height() int { return 8 }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/data/", "tile/8/entries/", 1) // the go.sum database's name for entries
		bytes, err := f.read(strings.Replace(path, "tile/8/", "tile/", 1))         // C2SP tiles are of one height and do not say so
		if err != nil {
			return nil, err
		}
		data[i] = bytes
	}
	return data, nil
}

func check(f folder) error {
	vkey, err := f.read("log.vkey")
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(vkey)))
	if err != nil {
		return err
	}
	key := note.VerifierList(verifier)
	text, err := f.read("checkpoint")
	if err != nil {
		return err
	}
	head, err := open(text, key)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	tiles := tlog.TileHashReader(head, f)
	entries, err := readEntries(f, head, tiles)
	if err != nil {
		return err
	}
	proofs, err := filepath.Glob(filepath.Join(string(f), "*.tlog-proof"))
	if err != nil {
		return err
	}
	for _, path := range proofs {
		if err := checkProof(path, key, head, tiles, entries); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
	}
	if older, err := f.read("checkpoint.old"); err == nil {
		if err := checkConsistency(f, older, key, head, tiles); err != nil {
			return fmt.Errorf("consistency: %w", err)
		}
	}
	return nil
}

func open(text []byte, key note.Verifiers) (tlog.Tree, error) {
	opened, err := note.Open(text, key)
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != opened.Sigs[0].Name {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// Every entry, held against the leaf that the tiles prove.
func readEntries(f folder, head tlog.Tree, tiles tlog.HashReader) ([][]byte, error) {
	var all [][]byte
	for first := int64(0); first < head.N; first += 256 {
		width := head.N - first
		if width > 256 {
			width = 256
		}
		bundles, err := f.ReadTiles([]tlog.Tile{{H: 8, L: -1, N: first / 256, W: int(width)}})
		if err != nil {
			return nil, err
		}
		var indexes []int64
		for i := int64(0); i < width; i++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, first+i))
		}
		leaves, err := tiles.ReadHashes(indexes)
		if err != nil {
			return nil, err
		}
		rest := bundles[0]
		for i := range leaves {
			if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
				return nil, fmt.Errorf("entry %d: cut short", first+int64(i))
			}
			end := 2 + int(binary.BigEndian.Uint16(rest))
			if tlog.RecordHash(rest[2:end]) != leaves[i] {
				return nil, fmt.Errorf("entry %d is not the tree's", first+int64(i))
			}
			all, rest = append(all, rest[2:end]), rest[end:]
		}
		if len(rest) > 0 {
			return nil, fmt.Errorf("entries from %d: too long", first)
		}
	}
	return all, nil
}

// The file, and beside it the proof that x/mod makes from the tiles itself.
func checkProof(path string, key note.Verifiers, head tlog.Tree, tiles tlog.HashReader, entries [][]byte) error {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, checkpoint, found := strings.Cut(string(bytes), "\n\n")
	lines := strings.Split(text, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("not a proof")
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return err
	}
	proof, err := hashes(lines[1:])
	if err != nil {
		return err
	}
	signed, err := open([]byte(checkpoint), key)
	if err != nil {
		return err
	}
	if index >= int64(len(entries)) {
		return fmt.Errorf("index %d is not in the log", index)
	}
	leaf := tlog.RecordHash(entries[index])
	if err := tlog.CheckRecord(proof, signed.N, signed.Hash, index, leaf); err != nil {
		return err
	}
	theirs, err := tlog.ProveRecord(head.N, index, tiles)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(theirs, head.N, head.Hash, index, leaf)
}

func checkConsistency(f folder, older []byte, key note.Verifiers, head tlog.Tree, tiles tlog.HashReader) error {
	before, err := open(older, key)
	if err != nil {
		return err
	}
	bytes, err := f.read("checkpoint.consistency")
	if err != nil {
		return err
	}
	text, checkpoint, _ := strings.Cut(string(bytes), "\n\n")
	lines := strings.Split(text, "\n")
	if lines[0] != fmt.Sprintf("old %d", before.N) {
		return fmt.Errorf("of another size than the older checkpoint")
	}
	proof, err := hashes(lines[1:])
	if err != nil {
		return err
	}
	signed, err := open([]byte(checkpoint), key)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, signed.N, signed.Hash, before.N, before.Hash); err != nil {
		return err
	}
	theirs, err := tlog.ProveTree(head.N, before.N, tiles)
	if err != nil {
		return err
	}
	return tlog.CheckTree(theirs, head.N, head.Hash, before.N, before.Hash)
}

func hashes(lines []string) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		all = append(all, hash)
	}
	return all, nil
}
